import type { Rng } from "@eitp/core/spec";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { GptConfig } from "./config.ts";

/** Inverted-dropout masks of one block, already scaled by 1/keep. */
export interface BlockMasks {
  /** On the attention probabilities, [B, H, T, T]. */
  readonly attention: Tensor;
  /** On what the attention branch adds to the residual stream, [B, T, D]. */
  readonly attentionOut: Tensor;
  /** On what the MLP branch adds, [B, T, D]. */
  readonly mlpOut: Tensor;
}

/**
 * The mask of the embedding sum, [B, T, D]. Each mask is a function of (rng, its place) alone: which inputs somebody asks for, or in what
 * order, moves no bit, and a block's tangent meets the same masks as its value.
 */
export function embedMask(config: GptConfig, rng: Rng, [sequences, length]: readonly [number, number]): Tensor {
  return rng
    .fold("dropout")
    .fold("embed")
    .mask([sequences, length, config.width], 1 - config.dropout);
}

/** The masks of block `layer` for B sequences of T tokens. */
export function blockMasks(config: GptConfig, rng: Rng, layer: number, [sequences, length]: readonly [number, number]): BlockMasks {
  const own = rng.fold("dropout").fold(layer);
  const keep = 1 - config.dropout;
  return {
    attention: own.fold("attention").mask([sequences, config.heads, length, length], keep),
    attentionOut: own.fold("attentionOut").mask([sequences, length, config.width], keep),
    mlpOut: own.fold("mlpOut").mask([sequences, length, config.width], keep),
  };
}
