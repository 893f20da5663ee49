import type { Tensor } from "@tensorflow/tfjs-core";
import type { AnyController } from "./controller.ts";
import type { BatchShape, HostBatch } from "./data.ts";
import type { Inputs, Need } from "./inputs.ts";
import type { ModelShape } from "./model.ts";
import type { AnyOptimizer } from "./optimizer.ts";
import type { Rng } from "./rng.ts";
import type { Saved } from "./saved.ts";
import type { Structure } from "./structure.ts";

/** What a term may know before the first step. */
export interface InitContext {
  readonly model: ModelShape;
  readonly structure?: Structure;
  readonly batch: BatchShape;
  readonly rng: Rng;
}
/** Per micro-batch ("params": per step): multiply–accumulates and peak extra bytes, forward and backward together. */
export interface Cost {
  readonly macs: number;
  readonly bytes: number;
}

/** What a term averages over: target tokens, the micro-batch as one sample set, or nothing (weights only, once per optimiser step on its own tape). */
export type Scope = "tokens" | "set" | "params";

/** One additive contribution to the objective. A frozen object of pure functions. Method syntax is load-bearing: it lets different terms share a list. */
export interface LossTerm<State extends Saved = null, N extends Need = Need> {
  readonly specVersion: 1;
  /** Key in configuration, metrics and checkpoints. */
  readonly name: string;
  /** Unit of the value, e.g. "nats/token". */
  readonly units: string;
  readonly scope: Scope;
  readonly needs: readonly N[];
  /** Why the gradient is deliberately not the derivative of the value (straight-through estimator); else the contract compares them. */
  readonly surrogate?: string;
  /** "use.quantity" of other uses, delivered on the tape as `inputs.read`. */
  readonly reads?: readonly string[];
  /** `first` holds the inputs of the first micro-batch, detached (kernels may start at samples). Shapes must follow from the context alone. */
  init?(context: InitContext, first: Inputs<N>): State;
  /** On the tape. Pure: same arguments, same bits. */
  evaluate(inputs: Inputs<N>, state: State): TermValue<State>;
  /** Own trainable tensors: entries of the state, found again by identity. Their optimiser and its moments belong to the trainer. */
  readonly own?: OwnParameters<State>;
  /** Once per optimiser step, off the tape, after `next` of the last micro-batch was adopted. */
  update?(report: StepReport, state: State): State;
  /** Scope "tokens": how many tokens `loss` is the mean of; all of them unless given. Asked for every micro-batch before the first forward. */
  count?(batch: HostBatch): number;
  /** What it costs beside the model's own passes; the contract suite measures it. */
  cost?(context: Omit<InitContext, "rng">): Cost;
}
/** Tensors of a term's state that it trains itself. */
export interface OwnParameters<State extends Saved> {
  /** The same entries in the same order, whatever their values. */
  of(state: State): readonly Tensor[];
  readonly optimizer: AnyOptimizer;
}
/** All tensors rank 0, float32; checked when they arrive. */
export interface TermValue<State extends Saved = Saved> {
  /** Differentiated with respect to model parameters only. */
  readonly loss: Tensor;
  /** Differentiated with respect to own parameters only: two backwards over one tape, no detach. */
  readonly own?: Tensor;
  /** State proposed for the next step (warm starts). The last micro-batch wins; the trainer detaches it. */
  readonly next?: State;
  /** Read once per record, asynchronously. */
  readonly metrics?: { readonly [name: string]: Tensor };
  /** On the tape, for terms that name them in `reads`. */
  readonly quantities?: { readonly [name: string]: Tensor };
  /** What controllers and `update` see: means over the micro-batches, on the device. */
  readonly features?: { readonly [name: string]: Tensor };
}
/** What `update` is told: the step just taken, and the means of the term's loss and features over its micro-batches, on the device. */
export interface StepReport {
  readonly step: number;
  readonly features: { readonly [name: string]: Tensor };
}

/** Any term. Sound to build from every `LossTerm<S, N>` because states and inputs occur only in method parameters. */
export type AnyLossTerm = LossTerm<Saved, Need>;

/** Infers state and inputs from the literal and freezes it. Write `init` before `evaluate`. */
export function lossTerm<const N extends Need, State extends Saved = null>(
  term: Omit<LossTerm<State, N>, "specVersion">,
): LossTerm<State, N> {
  return Object.freeze({ specVersion: 1, ...term });
}

/** Host function of the step, so that the trainer knows an exact zero without reading the device. */
export type Schedule = (step: number) => number;

/** Weight, cadence and failure policy live in the use, not in the term. Two uses of one term need two names. */
export interface TermUse {
  readonly term: AnyLossTerm;
  readonly weight: number | Schedule | AnyController;
  readonly name?: string;
  /** Evaluate on steps divisible by this; default 1. */
  readonly every?: number;
  /** First and one-past-last step whose `loss` counts; own parameters learn from step 0. */
  readonly from?: number;
  readonly until?: number;
  /** On steps that `every` leaves out: contribute nothing, or repeat the last gradient ("hold", scope "params" only). Default "zero". */
  readonly between?: "zero" | "hold";
  /** Either way a non-finite step changes nothing (decided on the device); "throw" (default) then ends the run and names the term; "skip" costs a backward of its own. */
  readonly onNonFinite?: "throw" | "skip";
}
