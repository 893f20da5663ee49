import { concat, reshape, scalar, sqrt, square, sum, type Tensor, tidy } from "@tensorflow/tfjs-core";

/**
 * Euclidean norm of all entries of all tensors together, rank 0, on the device. Rows are summed before they meet: a single float32 running
 * sum over the 38 million squares of a GPT-2 embedding would stop growing half-way.
 */
export function globalNorm(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) return scalar(0);
  return tidy(() => {
    const rows = tensors.map((t) => reshape(t.rank >= 2 ? sum(square(t), -1) : square(t), [-1]));
    return sqrt(sum(concat(rows)));
  });
}
