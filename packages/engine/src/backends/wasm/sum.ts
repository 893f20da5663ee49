import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { addressOf, replaceKernel } from "./heap.ts";
import { kernelsOf } from "./kernel-module.ts";

interface SumAttributes {
  readonly axis: number | number[];
  readonly keepDims: boolean;
}

/**
 * Sums over leading axes (every bias gradient) and over trailing ones (norms, means) in one pass; the stock kernel transposes first, or adds one
 * float at a time. Sums over axes between stay with it.
 */
export function fastSum(): void {
  replaceKernel<{ x: TensorInfo }, SumAttributes>("Sum", (stock) => (call) => {
    const { inputs, attrs, backend } = call;
    const { x } = inputs;
    const rank = x.shape.length;
    const axes = new Set(util.parseAxisParam(attrs.axis, x.shape));
    const leading = [...axes].every((axis) => axis < axes.size);
    const trailing = [...axes].every((axis) => axis >= rank - axes.size);
    if (axes.size === 0 || x.dtype !== "float32" || !(leading || trailing)) return stock(call);
    const rest = x.shape.filter((_, axis) => !axes.has(axis));
    const shape = attrs.keepDims ? x.shape.map((length, axis) => (axes.has(axis) ? 1 : length)) : rest;
    const out = backend.makeOutput(shape, "float32");
    const kept = util.sizeFromShape(rest);
    const added = util.sizeFromShape(x.shape.filter((_, axis) => axes.has(axis)));
    const { columnSum, rowSums } = kernelsOf(backend);
    if (trailing) rowSums(kept, added, addressOf(backend, x), addressOf(backend, out));
    else columnSum(added, kept, addressOf(backend, x), addressOf(backend, out));
    return out;
  });
}
