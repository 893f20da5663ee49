import { add, matMul, reshape, type Tensor } from "@tensorflow/tfjs-core";

/** [.., from] → [.., to]: x·W + b with W [from, to], or [to, from] where `transposed`. Rows are flattened, so every backend sees one plain product. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null, transposed = false): Tensor {
  const from = x.shape[x.rank - 1] as number;
  const to = weight.shape[transposed ? 0 : 1] as number;
  const rows = x.rank === 2 ? x : reshape(x, [-1, from]);
  const product = matMul(rows, weight, false, transposed);
  const y = bias === null ? product : add(product, bias);
  return x.rank === 2 ? y : reshape(y, [...x.shape.slice(0, -1), to]);
}
