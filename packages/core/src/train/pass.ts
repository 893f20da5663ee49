import { EitpError, stopGradient, type Tape, withTape } from "@eitp/engine";
import { add, dispose, keep, mul, scalar, type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import type { InputMap, Inputs, Need, Rng, Saved, TermValue } from "../spec/index.ts";
import type { Slot } from "./slots.ts";
import { mapTensors } from "./tree.ts";

/** What one tape is asked to do. */
export interface PassRequest {
  readonly slots: readonly Slot[];
  /** All uses of the run, also those of the other tape and those that rest: readers see the weight of every one. */
  readonly uses: readonly Slot[];
  /** Supplies the inputs, on the tape. */
  readonly supply: () => Partial<InputMap>;
  readonly step: number;
  readonly rng: Rng;
  readonly stateOf: (slot: Slot) => Saved;
  /** Fraction of the step's mean that this pass contributes; 0 = only for those that read it. */
  readonly shareOf: (slot: Slot) => number;
  /** Weight of the loss: an exact 0 on the host leaves it out of the sum. */
  readonly weightOf: (slot: Slot) => number | Tensor;
  /** Model parameters, in order. */
  readonly params: readonly Tensor[];
  /** Slots whose own gradient is asked for beside the sum's (ledger, held gradients, controllers); at weight 1 and full share. */
  readonly alone: (slot: Slot) => boolean;
  /** Leaves a slot out of the sum's backward although it has weight (its gradient is added by hand). */
  readonly apart: (slot: Slot) => boolean;
  readonly now: () => number;
}
export interface PartResult {
  readonly slot: Slot;
  readonly share: number;
  readonly loss: Tensor;
  readonly own: Tensor | null;
  readonly ownGradients: readonly Tensor[];
  readonly features: { readonly [name: string]: Tensor };
  readonly metrics: { readonly [name: string]: Tensor };
  readonly next: Saved | undefined;
  /** Gradient of the unweighted loss times its share, where asked for. */
  readonly alone: { readonly gradients: readonly (Tensor | null)[]; readonly ms: number } | null;
}
export interface PassResult {
  /** Of the weighted sum; null where it does not depend on a parameter. */
  readonly gradients: readonly (Tensor | null)[];
  readonly parts: readonly PartResult[];
}

/**
 * One forward that serves all terms, one backward of their weighted sum at the model's parameters, one of the own objectives at the own
 * parameters, and more on request, all over one tape. All tensors in the result are kept: the caller disposes them.
 */
export function runPass(request: PassRequest): PassResult {
  const { slots, step, rng, stateOf, shareOf, weightOf, params, now } = request;
  const left: Tensor[] = [];
  // What leaves the tape is cloned unrecorded and kept: the tape's tidy would dispose it.
  const leave = (t: Tensor): Tensor => {
    const out = keep(stopGradient(t));
    left.push(out);
    return out;
  };
  try {
    return withTape((tape) => {
      const supplied = request.supply();
      // Most runs have no reader, and need no scalar on the device for each weight and micro-batch.
      const uses = slots.some(({ term }) => term.reads !== undefined) ? request.uses : [];
      const weights = Object.fromEntries(uses.map((slot) => [slot.key, asScalar(weightOf(slot))]));
      const quantities: { [key: string]: Tensor } = {};
      const evaluated = slots.map((slot) => {
        const state = stateOf(slot);
        const { term, key } = slot;
        const read = Object.fromEntries((term.reads ?? []).map((name) => [name, quantityOf(quantities, name, key)]));
        const inputs = {
          ...pick(supplied, term.needs, key),
          step,
          rng: rng.fold(key),
          read,
          weights: term.reads === undefined ? {} : weights,
        };
        const value = checked(key, term.evaluate(inputs as Inputs<Need>, state));
        for (const [name, t] of Object.entries(value.quantities ?? {})) quantities[`${key}.${name}`] = t;
        return { slot, state, value, share: shareOf(slot) };
      });

      let sum: Tensor | null = null;
      for (const { slot, value, share } of evaluated) {
        const weight = weightOf(slot);
        if (weight === 0 || share === 0 || request.apart(slot)) continue;
        const weighted = mul(value.loss, typeof weight === "number" ? weight * share : mul(weight, share));
        sum = sum === null ? weighted : add(sum, weighted);
      }
      const gradients = sum === null ? params.map(() => null) : tape.gradient(sum, params).map((g) => g && leave(g));

      const parts = evaluated.map((one): PartResult => {
        const { slot, value, share } = one;
        return {
          slot,
          share,
          loss: leave(value.loss),
          own: value.own === undefined ? null : leave(value.own),
          ownGradients: ownGradients(tape, one).map(leave),
          features: mapValues(value.features, leave),
          metrics: mapValues(value.metrics, leave),
          next: value.next === undefined ? undefined : mapTensors(value.next, leave),
          alone: request.alone(slot) && share > 0 ? timedGradient(tape, mul(value.loss, share), params, leave, now) : null,
        };
      });
      return { gradients, parts };
    });
  } catch (error) {
    dispose(left);
    throw error;
  }
}

interface Evaluated {
  readonly slot: Slot;
  readonly state: Saved;
  readonly value: TermValue;
  readonly share: number;
}

/**
 * Gradient of share·own at the own parameters, zeros where the objective does not depend on one. One backward for each use: a reader's objective
 * reaches, through what it reads, the own parameters of others, which are not its to move.
 */
function ownGradients(tape: Tape, { slot, state, value, share }: Evaluated): readonly Tensor[] {
  if (value.own === undefined || share === 0 || slot.term.own === undefined) return [];
  const xs = slot.term.own.of(state);
  return tape.gradient(mul(value.own, share), xs).map((g, i) => g ?? zerosLike(xs[i] as Tensor));
}

function timedGradient(
  tape: Tape,
  y: Tensor,
  xs: readonly Tensor[],
  leave: (t: Tensor) => Tensor,
  now: () => number,
): { readonly gradients: readonly (Tensor | null)[]; readonly ms: number } {
  const start = now();
  const gradients = tape.gradient(y, xs).map((g) => g && leave(g));
  return { gradients, ms: now() - start };
}

/** The only place that narrows inputs: checked when it runs, so that the types of the terms are true. */
export function pick(supplied: Partial<InputMap>, needs: readonly Need[], key: string): Partial<InputMap> {
  for (const need of needs)
    if (supplied[need] === undefined) throw new EitpError("usage", `the model did not supply '${need}', which term '${key}' needs`);
  return Object.fromEntries(needs.map((need) => [need, supplied[need]]));
}

/** Rank 0 and float32, or the term is named. */
export function checked<S extends Saved>(key: string, value: TermValue<S>): TermValue<S> {
  const reported = { ...value.metrics, ...value.features };
  const all = { ...reported, ...value.quantities, loss: value.loss, own: value.own };
  for (const name of ["loss", "own", "weight", "weighted", "gradientNorm", "ownGradientNorm"])
    if (Object.hasOwn(reported, name))
      throw new EitpError("usage", `term '${key}' reports '${name}', a name the trainer uses itself; choose another`);
  for (const [name, t] of Object.entries(all))
    if (t !== undefined && (t.rank !== 0 || t.dtype !== "float32"))
      throw new EitpError("usage", `term '${key}': \`${name}\` has shape [${t.shape}] and dtype ${t.dtype}; expected a float32 scalar`);
  return value;
}

function quantityOf(quantities: { readonly [key: string]: Tensor }, name: string, reader: string): Tensor {
  const found = quantities[name];
  if (found === undefined)
    throw new EitpError(
      "usage",
      `term '${reader}' reads '${name}', which is not among the quantities given: ${Object.keys(quantities).join(", ") || "none"}`,
    );
  return found;
}

const asScalar = (weight: number | Tensor): Tensor => (typeof weight === "number" ? scalar(weight) : stopGradient(weight));
function mapValues<A, B>(record: { readonly [name: string]: A } | undefined, f: (a: A) => B): { readonly [name: string]: B } {
  return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, f(value)]));
}
