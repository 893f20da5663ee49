import { fused, matMul, reshape, type Tensor } from "@tensorflow/tfjs-core";

/** [.., from] → [.., to]: x·W + b with W [from, to], or [to, from] where `transposed`. Rows are flattened, so every backend sees one plain product. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null, transposed = false): Tensor {
  const from = x.shape[x.rank - 1] as number;
  const to = weight.shape[transposed ? 0 : 1] as number;
  const rows = x.rank === 2 ? x : reshape(x, [-1, from]);
  const y = bias === null ? matMul(rows, weight, false, transposed) : fused.matMul({ a: rows, b: weight, transposeB: transposed, bias });
  return x.rank === 2 ? y : reshape(y, [...x.shape.slice(0, -1), to]);
}
