import { getBackend, getKernel } from "@tensorflow/tfjs-core";

/**
 * The fused kernels: what a fast backend registers with tfjs, under these names, and the operations then use. All tensors float32 and contiguous
 * unless said; letters: N rows, D width, F from, G to, V vocabulary, B sequences, T tokens, H heads. A backend may register any subset; where one is
 * missing the operation is composed of ordinary tfjs kernels. Conformance: forward within 1e-5, gradients within 1e-4 relative of the composition, on odd sizes.
 *
 * | kernel | inputs | attributes | outputs |
 * |---|---|---|---|
 * | EitLinear | x [N, F], w [F, G] (or [G, F]), b? [G] | transposed | y [N, G] |
 * | EitLinearGrad | dy [N, G], x, w | transposed | dx [N, F], dw like w, db [G] |
 * | EitColumnSum | x [N, G] | | [G], rows added in order |
 * | EitLayerNorm | x [N, D], w [D], b [D] | epsilon | y [N, D], mean [N], r [N] = 1/√(var + ε) |
 * | EitLayerNormGrad | dy, x [N, D], w [D], mean, r [N] | | dx [N, D], dw [D], db [D] |
 * | EitGelu | x | | y, tanh form |
 * | EitGeluGrad | dy, x | | dx |
 * | EitAttention | qkv [B, T, 3D], mask? [B, H, T, T] | heads, positions, logN (0 = none) | y [B, T, D], lse [B, H, T]; memory linear in T |
 * | EitAttentionGrad | dy, y [B, T, D], qkv, lse, mask? | heads, positions, logN | dqkv [B, T, 3D]; memory linear in T |
 * | EitHeadLoss | h [N, D], w [V, D], targets int32 [N] (−1 = ignore) | | nll [N], lse [N], kept: anything the gradient can use, of any shape, at most `keptLogitsBytes` |
 * | EitHeadLossGrad | dy [N], h, w, targets, lse, kept | | dh [N, D], dw [V, D] |
 * | EitSumSquares | any number of x, as a list | | Σ of all squared entries, rank 0 |
 * | EitAdamW | p, g, m, v (one shape) | beta1, beta2, scale, epsilon, root, keep | p′, m′, v′ (see `adamWStep`) |
 */
export type FusedKernel =
  | "EitLinear"
  | "EitLinearGrad"
  | "EitColumnSum"
  | "EitLayerNorm"
  | "EitLayerNormGrad"
  | "EitGelu"
  | "EitGeluGrad"
  | "EitAttention"
  | "EitAttentionGrad"
  | "EitHeadLoss"
  | "EitHeadLossGrad"
  | "EitSumSquares"
  | "EitAdamW";

/** Logits up to this size a fused head may keep for its backward, which otherwise computes them again: native does, wasm never. */
export const keptLogitsBytes: number = 128 * 2 ** 20;

let composing = 0;

/** Whether operations use this kernel now: the current backend has it, and nobody asked for the composition. */
export function isFused(kernel: FusedKernel): boolean {
  return composing === 0 && getKernel(kernel, getBackend()) !== undefined;
}

/**
 * Runs `f` with every operation composed of ordinary tfjs kernels. Fused kernels have first derivatives only (a second one throws, naming the
 * kernel); whoever differentiates twice builds the function in here.
 */
export function composed<R>(f: () => R): R {
  composing++;
  try {
    return f();
  } finally {
    composing--;
  }
}
