import { sumSquares } from "@eitp/engine";
import { sqrt, type Tensor, tidy } from "@tensorflow/tfjs-core";

/** Euclidean norm of all entries of all tensors together, rank 0, on the device. */
export function globalNorm(tensors: readonly Tensor[]): Tensor {
  return tidy(() => sqrt(sumSquares(tensors)));
}
