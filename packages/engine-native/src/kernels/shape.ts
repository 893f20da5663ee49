import { backend_util, type DataType, slice_util, type Tensor, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../backend.ts";
import { bytesOf } from "../data.ts";
import { stridesIn } from "./broadcast.ts";
import { replace, typeNumbers } from "./define.ts";

type T = TensorInfo;
/** tfjs' shape helpers ask for a tensor and read its shape only. */
type Ranked = Tensor;
const isNative = ({ dtype }: T): boolean => typeNumbers[dtype] !== undefined;

/** A box of elements: where it begins (in elements from the tensor's start) and how its axes step. */
interface Box {
  readonly tensor: T;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Copies a box of `dims` from one tensor into another, axes merged where both are contiguous. */
function copyBox(backend: NativeBackend, dims: readonly number[], from: Box, to: Box): void {
  if (util.sizeFromShape(dims as number[]) === 0) return;
  const merged: number[] = [];
  const [sf, st]: [number[], number[]] = [[], []];
  dims.forEach((dim, axis) => {
    if (dim === 1) return;
    const [a, b] = [from.strides[axis] as number, to.strides[axis] as number];
    const last = merged.length - 1;
    if (last >= 0 && sf[last] === a * dim && st[last] === b * dim) {
      merged[last] = (merged[last] as number) * dim;
      sf[last] = a;
      st[last] = b;
    } else {
      merged.push(dim);
      sf.push(a);
      st.push(b);
    }
  });
  const bytes = bytesOf(from.tensor.dtype);
  const at = ({ tensor, offset }: Box): number => backend.address(tensor) + offset * bytes;
  backend.call(backend.numberOf("strided"), bytes, merged.length, at(from), at(to), ...merged, ...sf, ...st);
}

const whole = (tensor: T): Box => ({ tensor, offset: 0, strides: packedStrides(tensor.shape) });

/** Strides of a contiguous tensor, one per axis. */
function packedStrides(shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = stride;
    stride *= shape[i] as number;
  }
  return out;
}
const offsetOf = (begin: readonly number[], strides: readonly number[]): number =>
  begin.reduce((sum, b, i) => sum + b * (strides[i] as number), 0);

function slice(backend: NativeBackend, x: T, begin: readonly number[], size: readonly number[]): T {
  const out = backend.output(size, x.dtype);
  const strides = packedStrides(x.shape);
  copyBox(backend, size, { tensor: x, offset: offsetOf(begin, strides), strides }, whole(out));
  return out;
}

function concat(backend: NativeBackend, tensors: readonly T[], axis: number): T {
  const first = tensors[0] as T;
  const shape = backend_util.computeOutShape(
    tensors.map((t) => t.shape),
    axis,
  );
  const out = backend.output(shape, first.dtype);
  const { strides } = whole(out);
  let at = 0;
  for (const t of tensors) {
    copyBox(backend, t.shape, whole(t), { tensor: out, offset: at * (strides[axis] as number), strides });
    at += t.shape[axis] as number;
  }
  return out;
}

export function registerShape(): void {
  replace<{ x: T }, { perm: number[] }>("Transpose", (stock) => (call) => {
    const { x } = call.inputs;
    if (!isNative(x) || x.shape.length > 12) return stock(call);
    const strides = packedStrides(x.shape);
    const { perm } = call.attrs;
    const out = call.backend.output(
      perm.map((axis) => x.shape[axis] as number),
      x.dtype,
    );
    copyBox(call.backend, out.shape, { tensor: x, offset: 0, strides: perm.map((axis) => strides[axis] as number) }, whole(out));
    return out;
  });
  replace<{ x: T }, { begin: number | number[]; size: number | number[] }>("Slice", (stock) => (call) => {
    const { x } = call.inputs;
    if (!isNative(x)) return stock(call);
    const [begin, size] = slice_util.parseSliceParams(x as Ranked, call.attrs.begin, call.attrs.size) as [number[], number[]];
    slice_util.assertParamsValid(x as Ranked, begin, size);
    return slice(call.backend, x, begin, size);
  });
  replace<{ x: T }, { numOrSizeSplits: number | number[]; axis: number }, T[]>("SplitV", (stock) => (call) => {
    const { x } = call.inputs;
    if (!isNative(x)) return stock(call);
    const along = util.parseAxisParam(call.attrs.axis, x.shape)[0] as number;
    let at = 0;
    return backend_util.prepareSplitSize(x as Ranked, call.attrs.numOrSizeSplits, along).map((length) => {
      const begin = x.shape.map((_, i) => (i === along ? at : 0));
      at += length;
      return slice(
        call.backend,
        x,
        begin,
        x.shape.map((dim, i) => (i === along ? length : dim)),
      );
    });
  });
  replace<T[], { axis: number }>("Concat", (stock) => (call) => {
    const axis = util.parseAxisParam(call.attrs.axis, (call.inputs[0] as T).shape)[0] as number;
    const tensors = call.inputs.filter((t) => util.sizeFromShape(t.shape) > 0);
    const [first] = tensors;
    if (first === undefined || !tensors.every((t) => isNative(t) && t.dtype === first.dtype)) return stock(call);
    backend_util.assertParamsConsistent(
      tensors.map((t) => t.shape),
      axis,
    );
    return concat(call.backend, tensors, axis);
  });
  replace<T[], { axis: number }>("Pack", (stock) => (call) => {
    const [first] = call.inputs;
    if (first === undefined || !call.inputs.every((t) => isNative(t) && t.dtype === first.dtype)) return stock(call);
    const { axis } = call.attrs;
    const widened = call.inputs.map((t) => ({
      ...t,
      dataId: t.dataId,
      dtype: t.dtype,
      shape: [...t.shape.slice(0, axis), 1, ...t.shape.slice(axis)],
    }));
    return concat(call.backend, widened, axis);
  });
  replace<{ x: T }, { paddings: readonly (readonly [number, number])[]; constantValue: number }>("PadV2", (stock) => (call) => {
    const { x } = call.inputs;
    const { paddings, constantValue } = call.attrs;
    if (x.dtype !== "float32") return stock(call);
    const { backend } = call;
    const out = backend.output(
      x.shape.map((dim, i) => dim + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0)),
      x.dtype,
    );
    fill(backend, out, constantValue);
    const { strides } = whole(out);
    const offset = offsetOf(
      paddings.map(([before]) => before),
      strides,
    );
    copyBox(backend, x.shape, whole(x), { tensor: out, offset, strides });
    return out;
  });
  replace<{ x: T }, { reps: number[] }>("Tile", (stock) => (call) => {
    const { x } = call.inputs;
    const { reps } = call.attrs;
    if (!isNative(x) || reps.length !== x.shape.length || x.shape.length > 6) return stock(call);
    // Each axis becomes two, [repeats, size], the first of stride 0.
    const out = call.backend.output(
      x.shape.map((dim, i) => dim * (reps[i] as number)),
      x.dtype,
    );
    const [inner, outer] = [packedStrides(x.shape), packedStrides(out.shape)];
    const dims = x.shape.flatMap((dim, i) => [reps[i] as number, dim]);
    copyBox(
      call.backend,
      dims,
      { tensor: x, offset: 0, strides: inner.flatMap((s) => [0, s]) },
      { tensor: out, offset: 0, strides: outer.flatMap((s, i) => [s * (x.shape[i] as number), s]) },
    );
    return out;
  });
  replace<{ x: T }, { shape: number[] }>("BroadcastTo", (stock) => (call) => {
    const { x } = call.inputs;
    const { shape } = call.attrs;
    if (!isNative(x) || shape.length < x.shape.length || shape.length > 12) return stock(call);
    const out = call.backend.output(shape, x.dtype);
    copyBox(call.backend, shape, { tensor: x, offset: 0, strides: stridesIn(x.shape, shape.length) }, whole(out));
    return out;
  });
  replace<object, { shape: number[]; value: number | string; dtype: DataType }>("Fill", (stock) => (call) => {
    const { shape, value, dtype } = call.attrs;
    const type = dtype ?? (typeof value === "string" ? "string" : "float32");
    if (typeof value !== "number" || typeNumbers[type] === undefined) return stock(call);
    return fill(call.backend, call.backend.output(shape, type), value);
  });
  for (const [name, value] of [
    ["ZerosLike", 0],
    ["OnesLike", 1],
  ] as const)
    replace<{ x: T }>(name, (stock) => (call) => {
      const { x } = call.inputs;
      return isNative(x) ? fill(call.backend, call.backend.output(x.shape, x.dtype), value) : stock(call);
    });
}

function fill(backend: NativeBackend, out: T, value: number): T {
  const kind = out.dtype === "bool" ? 1 : out.dtype === "int32" ? 8 : 4;
  backend.call(backend.numberOf("fill"), kind, util.sizeFromShape(out.shape), value, backend.address(out));
  return out;
}
