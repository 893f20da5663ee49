import { add, engine, type NamedTensorMap, scalar, square, sum, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { isFused } from "../fused/kernels.ts";

/**
 * Σ x² over all entries of all tensors together, rank 0, float32; 0 for none.
 * Rows are summed before they meet: a single running sum over the 38 million squares of a GPT-2 embedding would stop growing half-way.
 */
export function sumSquares(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) return scalar(0);
  if (isFused("EitSumSquares")) return engine().runKernel("EitSumSquares", tensors as unknown as NamedTensorMap) as unknown as Tensor;
  // Each in a tidy of its own: the squares of all gradients together are as large as the model.
  return tensors.map((t) => tidy(() => sum(t.rank >= 2 ? sum(square(t), -1) : square(t)))).reduce((a, b) => add(a, b));
}
