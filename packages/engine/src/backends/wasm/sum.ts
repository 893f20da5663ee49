import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { replaceKernel } from "./heap.ts";

interface SumAttributes {
  readonly axis: number | number[];
  readonly keepDims: boolean;
}

/** Sums over leading axes (every bias gradient) in one pass, where the stock kernel transposes first. Sums over other axes stay with it. */
export function fastSum(): void {
  replaceKernel<{ x: TensorInfo }, SumAttributes>("Sum", (stock) => (call) => {
    const { x } = call.inputs;
    const axes = util.parseAxisParam(call.attrs.axis, x.shape);
    const leading = axes.length < x.shape.length && [...axes].sort((a, b) => a - b).every((axis, i) => axis === i);
    if (!leading || axes.length === 0 || x.dtype !== "float32") return stock(call);
    const rest = x.shape.slice(axes.length);
    const shape = call.attrs.keepDims ? [...axes.map(() => 1), ...rest] : rest;
    const out = call.backend.makeOutput(shape, "float32");
    addRows(call.backend.typedArrayFromHeap(x), call.backend.typedArrayFromHeap(out), util.sizeFromShape(rest));
    return out;
  });
}

/** Four rows at a time: a quarter of the stores, and a shorter chain of roundings. */
function addRows(rows: ArrayLike<number>, sums: { fill(value: number): unknown; [i: number]: number }, width: number): void {
  sums.fill(0);
  let at = 0;
  for (; at + 4 * width <= rows.length; at += 4 * width)
    for (let j = 0, a = at; j < width; j++, a++)
      sums[j] =
        (sums[j] as number) +
        ((rows[a] as number) + (rows[a + width] as number) + ((rows[a + 2 * width] as number) + (rows[a + 3 * width] as number)));
  for (; at < rows.length; at += width) for (let j = 0; j < width; j++) sums[j] = (sums[j] as number) + (rows[at + j] as number);
}
