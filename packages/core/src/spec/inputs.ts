import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import type { Rng } from "./rng.ts";
import type { Params } from "./saved.ts";
import type { Structure } from "./structure.ts";

/** A value and its tangent, for exact Jacobian-vector products. Same shape. */
export interface Dual {
  readonly value: Tensor;
  readonly tangent: Tensor;
}
/** One residual block as a pure function over duals, [B, T, D] → [B, T, D]. */
export type Block = (x: Dual) => Dual;

/**
 * Everything a term may ask for; one forward serves all terms and nothing undeclared is computed. B sequences of T tokens, width D,
 * H heads, vocabulary V. Packages add entries by declaration merging; the model refuses what it cannot supply.
 */
export interface InputMap {
  /** [B, T] int32. */
  readonly tokens: Tensor2D;
  /** [B, T] int32; −1 where there is nothing to predict. */
  readonly targets: Tensor2D;
  /** [B, T, V]. Asking for it costs that much memory; `nll` does not. */
  readonly logits: Tensor3D;
  /** [B, T] negative log-likelihood of each target, nats; 0 where the target is −1. Never holds [tokens × vocabulary] at once. */
  readonly nll: Tensor2D;
  /** Residual states [B, T, D]: after the embedding and after each block, `layers + 1` tensors. */
  readonly hidden: readonly [Tensor3D, ...Tensor3D[]];
  /** Attention probabilities [B, H, T, T], one tensor per block. */
  readonly attention: readonly Tensor4D[];
  /** Outputs of every layer norm [B, T, D] in order: two per block, then the final one. */
  readonly normed: readonly Tensor3D[];
  readonly blocks: readonly Block[];
  readonly params: Params;
  readonly structure: Structure;
}
/** Name of an input that a term may ask for. */
export type Need = keyof InputMap;

/** Exactly the declared entries, none of them optional, and what every term gets. */
export type Inputs<N extends Need> = Pick<InputMap, N> & {
  readonly step: number;
  /** Keyed by (seed, use, step, micro-batch). */
  readonly rng: Rng;
  /** The quantities named in `reads`, on the tape. */
  readonly read: { readonly [key: string]: Tensor };
  /** For a term with `reads`: current weight of every use, detached, rank 0. */
  readonly weights: { readonly [use: string]: Tensor };
};
