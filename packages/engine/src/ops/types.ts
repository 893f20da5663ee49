import type { Tensor } from "@tensorflow/tfjs-core";

/** A value and its tangent, same shape; `null` is an exact zero tangent, which costs nothing to carry. */
export interface DualTensor {
  readonly value: Tensor;
  readonly tangent: Tensor | null;
}

export interface AttentionOptions {
  readonly heads: number;
  /** "learned" and "none" add nothing here; "rotary" turns queries and keys (base 10,000); "alibi" adds −slope·distance. */
  readonly positions: "learned" | "rotary" | "alibi" | "none";
  /** Multiplies query i by ln(i + 1)/ln(`logN`), the length trained at; null leaves queries alone. */
  readonly logN: number | null;
  /** Dropout mask on the probabilities, [B, H, T, T], already scaled by 1/keep. */
  readonly dropout?: Tensor;
}

/**
 * The operations a model is written in, over plain tensors (`primal`, T = Tensor) and over value–tangent pairs (`dual`, T = DualTensor):
 * one source of blocks serves training and exact Jacobian-vector products. Parameters, masks and gates are plain tensors: constants of the
 * tangent. Letters: B sequences, T tokens, D width, H heads, V vocabulary.
 */
export interface Ops<T> {
  /** `x` with a zero tangent. */
  constant(x: Tensor): T;
  value(x: T): Tensor;
  add(a: T, b: T): T;
  scale(x: T, factor: number): T;
  /** Broadcast product with a constant: gates, dropout masks, token shift. */
  gate(x: T, factor: Tensor): T;
  /** [.., from] → [.., to]: x·W + b with W [from, to], or [to, from] where `transposed`. */
  linear(x: T, weight: Tensor, bias: Tensor | null, transposed?: boolean): T;
  /** Over the last axis. */
  layerNorm(x: T, weight: Tensor, bias: Tensor, epsilon: number): T;
  /** tanh form (GPT-2's "gelu_new"). */
  gelu(x: T): T;
  /** Causal attention, packed [B, T, 3D] → [B, T, D]. */
  attention(qkv: T, options: AttentionOptions): T;
  /** The probabilities the same call of `attention` uses (before dropout), [B, H, T, T]. */
  attentionProbabilities(qkv: T, options: AttentionOptions): T;
  /** Moves one token on along T, zeros first: y_t = x_{t−1}. [B, T, D]. */
  shift(x: T): T;
}
