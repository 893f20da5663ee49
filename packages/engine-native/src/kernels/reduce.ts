import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../backend.ts";
import { replace } from "./define.ts";

type T = TensorInfo;
interface Axes {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}
/** As in `ReduceOp` of kernels.h. */
const reductions: readonly (readonly [string, number])[] = [
  ["Sum", 0],
  ["Mean", 1],
  ["Max", 2],
  ["Min", 3],
];

export function registerReduce(): void {
  for (const [name, op] of reductions)
    replace<{ x: T }, Axes>(name, (stock) => (call) => {
      const { x } = call.inputs;
      if (x.dtype !== "float32") return stock(call);
      const { axis, reductionIndices, keepDims = false } = call.attrs;
      const axes = util.parseAxisParam(axis ?? reductionIndices ?? x.shape.map((_, i) => i), x.shape);
      return reduced(call.backend, op, x, axes, keepDims);
    });
  for (const [name, attribute, logarithmic] of [
    ["Softmax", "dim", 0],
    ["LogSoftmax", "axis", 1],
  ] as const)
    replace<{ logits: T }, { readonly dim?: number; readonly axis?: number }>(name, (stock) => (call) => {
      const { logits } = call.inputs;
      const rank = logits.shape.length;
      const along = call.attrs[attribute] ?? -1;
      if (logits.dtype !== "float32" || rank === 0 || (along + rank) % rank !== rank - 1) return stock(call);
      const { backend } = call;
      const y = backend.output(logits.shape, "float32");
      const width = logits.shape[rank - 1] as number;
      const rows = util.sizeFromShape(logits.shape.slice(0, -1));
      backend.call(backend.numberOf("softmax"), rows, width, logarithmic, backend.address(logits), backend.address(y));
      return y;
    });
}

/** Neighbouring axes go in one call; others one group after another, the last first. */
function reduced(backend: NativeBackend, op: number, x: T, axes: readonly number[], keepDims: boolean): T {
  const sorted = [...new Set(axes)].sort((a, b) => a - b);
  const finalShape = x.shape.flatMap((dim, i) => (sorted.includes(i) ? (keepDims ? [1] : []) : [dim]));
  let current = x.shape;
  let now = x;
  let left = sorted;
  do {
    const last = left[left.length - 1] ?? 0;
    let start = last;
    while (left.includes(start - 1)) start--;
    const count = left.length === 0 ? 1 : util.sizeFromShape(current.slice(start, last + 1));
    const outer = util.sizeFromShape(current.slice(0, start));
    const inner = util.sizeFromShape(current.slice(left.length === 0 ? start : last + 1));
    const next = current.map((dim, i) => (left.includes(i) && i >= start && i <= last ? 1 : dim));
    left = left.filter((axis) => axis < start);
    const out = backend.output(left.length === 0 ? finalShape : next, "float32");
    backend.call(backend.numberOf("reduce"), op, outer, count, inner, backend.address(now), backend.address(out));
    if (now !== x) backend.disposeData(now.dataId);
    now = out;
    current = next;
  } while (left.length > 0);
  return now;
}
