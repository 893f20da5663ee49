import type { Tensor } from "@tensorflow/tfjs-core";
import type { Saved } from "./saved.ts";
import type { InitContext } from "./term.ts";

/**
 * Turns detached features into weights that stay on the device. It must say what it optimises: λ can always lower λ·R by going to 0.
 * One object in several uses is one state: a network that emits a weight per term is one controller.
 */
export interface Controller<State extends Saved = null> {
  readonly specVersion: 1;
  readonly name: string;
  readonly objective: "heldOut" | "setPoint" | "dual";
  /** Keys "use.feature". The trainer itself supplies "use.loss", and "use.gradientNorm" where someone reads it. Unknown keys are refused when the run starts. */
  readonly reads: readonly string[];
  /** State before the first step. */
  init(context: InitContext): State;
  /** Weight of a use, rank 0, float32, on the device. Pure. */
  weight(state: State, use: string): Tensor;
  /** After a step in which everything it reads was measured; on other steps it holds. */
  observe(features: { readonly [key: string]: Tensor }, state: State): State;
}
/** Any controller; sound for the reason given at `AnyLossTerm`. */
export type AnyController = Controller<Saved>;
