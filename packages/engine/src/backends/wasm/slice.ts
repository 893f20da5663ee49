import { backend_util, type DataType, slice_util, type Tensor, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { type KernelCall, replaceKernel, type WasmBackend } from "./heap.ts";

interface SliceAttributes {
  readonly begin: number | number[];
  readonly size: number | number[];
}
interface SplitAttributes {
  readonly numOrSizeSplits: number | number[];
  readonly axis: number;
}
type Input = { readonly x: TensorInfo };
/** tfjs' shape helpers ask for a tensor and read its shape only. */
type Ranked = Tensor;

/** Slices and splits as copies within the heap. The stock kernels first copy the whole tensor out of it, once per piece. */
export function heapSlice(): void {
  replaceKernel<Input, SliceAttributes>("Slice", (stock) => (call) => {
    const { x } = call.inputs;
    if (x.dtype === "string") return stock(call);
    const { begin, size } = call.attrs;
    const [from, lengths] = slice_util.parseSliceParams(x as Ranked, begin, size) as [number[], number[]];
    slice_util.assertParamsValid(x as Ranked, from, lengths);
    return sliced(call.backend, x, from, lengths);
  });
  replaceKernel<Input, SplitAttributes, TensorInfo[]>("SplitV", (stock) => (call) => {
    if (call.inputs.x.dtype === "string") return stock(call);
    return split(call);
  });
}

function split({ inputs: { x }, attrs: { numOrSizeSplits, axis }, backend }: KernelCall<Input, SplitAttributes>): TensorInfo[] {
  const along = util.parseAxisParam(axis, x.shape)[0] as number;
  const lengths = backend_util.prepareSplitSize(x as Ranked, numOrSizeSplits, along);
  let at = 0;
  return lengths.map((length) => {
    const piece = sliced(
      backend,
      x,
      x.shape.map((_, i) => (i === along ? at : 0)),
      x.shape.map((whole, i) => (i === along ? length : whole)),
    );
    at += length;
    return piece;
  });
}

function sliced(backend: WasmBackend, x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo {
  const out = backend.makeOutput(size, x.dtype as DataType);
  // The innermost axes taken whole, with the one before them, form runs that are contiguous in both.
  let axis = size.length - 1;
  while (axis > 0 && size[axis] === x.shape[axis]) axis--;
  const strides = [...util.computeStrides(x.shape), 1];
  const run = util.sizeFromShape(size.slice(Math.max(axis, 0)));
  const to = backend.typedArrayFromHeap(out);
  const from = backend.typedArrayFromHeap(x);
  const outer = size.slice(0, Math.max(axis, 0));
  const index = outer.map(() => 0);
  const start = begin.reduce((sum, b, i) => sum + b * (strides[i] as number), 0);
  for (let at = 0; at < to.length; at += run) {
    const offset = index.reduce((sum, i, d) => sum + i * (strides[d] as number), start);
    to.set(from.subarray(offset, offset + run), at);
    advance(index, outer);
  }
  return out;
}

/** The next index of a shape, last axis fastest. */
function advance(index: number[], shape: readonly number[]): void {
  for (let d = index.length - 1; d >= 0; d--) {
    const next = (index[d] as number) + 1;
    index[d] = next < (shape[d] as number) ? next : 0;
    if (next < (shape[d] as number)) return;
  }
}
