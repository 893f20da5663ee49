import { fused, matMul, reshape, type Tensor } from "@tensorflow/tfjs-core";
import { isFused } from "../fused/kernels.ts";
import { run } from "../fused/run.ts";
import { requireShape } from "./fits.ts";

/** [.., from] → [.., to]: x·W + b with W [from, to], or [to, from] where `transposed`. Rows are flattened, so every backend sees one plain product. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null, transposed = false): Tensor {
  const from = x.shape[x.rank - 1] as number;
  const to = weight.shape[transposed ? 0 : 1] as number;
  requireShape("linear", transposed ? "a transposed weight" : "a weight", weight, transposed ? [null, from] : [from, null]);
  if (bias !== null) requireShape("linear", "a bias", bias, [to]);
  const rows = x.rank === 2 ? x : reshape(x, [-1, from]);
  const y = product(rows, weight, bias, transposed);
  return x.rank === 2 ? y : reshape(y, [...x.shape.slice(0, -1), to]);
}

function product(x: Tensor, w: Tensor, b: Tensor | null, transposed: boolean): Tensor {
  if (isFused("EitLinear")) return run("EitLinear", b === null ? { x, w } : { x, w, b }, { transposed })[0] as Tensor;
  return b === null ? matMul(x, w, false, transposed) : fused.matMul({ a: x, b: w, transposeB: transposed, bias: b });
}
