import type { Tensor } from "@tensorflow/tfjs-core";

/** Counter-based randomness: the same purposes and counters give the same numbers for ever; there is no stream position to save. */
export interface Rng {
  /** An independent generator for `purpose`: a name, or an integer ≥ 0 such as a step. */
  fold(purpose: string | number): Rng;
  /** 32 uniform bits. */
  bits(counter: number): number;
  /** Uniform in [0, 1), 53 bits. */
  uniform(counter: number): number;
  /** Standard normal, float64. */
  gaussian(counter: number): number;
  /** Standard normal, float32 tensor of this shape; element i is `gaussian(i)`. */
  normal(shape: readonly number[]): Tensor;
  /** Inverted-dropout mask, float32: 1/keep where element i has `uniform(i) < keep`, else 0. */
  mask(shape: readonly number[], keep: number): Tensor;
}
