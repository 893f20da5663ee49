import { concat, matMul, type Tensor } from "@tensorflow/tfjs-core";
import { dropped, mergeHeads, probabilities, splitHeads } from "./attention.ts";
import type { AttentionOptions } from "./types.ts";

/** Keys (turned where positions are rotary) and values of all tokens so far: [B, H, S, d]. */
export interface AttentionCache {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/**
 * Attention of t ≥ 1 new tokens over S cached ones and themselves: the last t rows of what `attention` gives for all S + t.
 * @param qkv packed rows of the new tokens only, [B, t, 3D]
 * @param cache what the previous call returned, or null at the start; the caller disposes it
 * @returns the output [B, t, D] and a new cache of S + t tokens
 */
export function attentionStep(
  qkv: Tensor,
  cache: AttentionCache | null,
  options: AttentionOptions,
): { readonly out: Tensor; readonly cache: AttentionCache } {
  const offset = cache?.keys.shape[2] ?? 0;
  const { q, k, v } = splitHeads(qkv, options, offset);
  const keys = cache === null ? k : concat([cache.keys, k], 2);
  const values = cache === null ? v : concat([cache.values, v], 2);
  const out = mergeHeads(matMul(dropped(probabilities(q, keys, options, offset), options), values));
  return { out, cache: { keys, values } };
}
