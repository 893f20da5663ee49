import type { Tensor } from "@tensorflow/tfjs-core";
import type { Saved } from "./saved.ts";

/** One tensor at a time, so that memory stays bounded and a fused in-place kernel can stand in. Pure. */
export interface Optimizer<State extends Saved = null> {
  readonly name: string;
  /** Learning rate at a step (from 0), for records. */
  learningRate?(step: number): number;
  /** `name` is the parameter's, for groups (decay or no decay); own parameters of a term are called "use/index". */
  init(parameter: Tensor, name: string): State;
  /** `count` starts at 1. `step` is the run's step, for schedules; equal to `count − 1` for model parameters. */
  /** The parameter and its state after one update. The arguments stay the caller's: they are neither changed nor disposed. */
  step(
    parameter: Tensor,
    gradient: Tensor,
    state: State,
    at: { readonly count: number; readonly step: number; readonly name: string },
  ): { readonly parameter: Tensor; readonly state: State };
}
/** Any optimiser, whatever its state. */
export type AnyOptimizer = Optimizer<Saved>;

/** As in optax: clip, noise, projection; sees all gradients at once. `params` holds the values they belong to. */
export interface GradientTransform<State extends Saved = null> {
  readonly name: string;
  /** State before the first step; gradients come in the order of `params`. */
  init(params: readonly Tensor[]): State;
  /** The gradients that go on to the next transform or to the optimiser. Pure, on the device. */
  apply(
    gradients: readonly Tensor[],
    state: State,
    params: readonly Tensor[],
  ): { readonly gradients: readonly Tensor[]; readonly state: State };
}
/** Any transform, whatever its state. */
export type AnyGradientTransform = GradientTransform<Saved>;
