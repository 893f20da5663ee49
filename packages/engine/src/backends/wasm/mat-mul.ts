import { type backend_util, broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { assert } from "../../error.ts";
import { requireRoom } from "./allocation.ts";
import { type KernelCall, kernel, replaceKernel, type WasmBackend } from "./heap.ts";

interface MatMulInputs {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
}
interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const batchOf = (x: TensorInfo): number => util.sizeFromShape(x.shape.slice(0, -2));

/**
 * Products by XNNPACK whatever the form. The stock kernel takes it for [m, k]·[k, n] only and falls back to a scalar triple loop (1–2 GFLOPS
 * against 25) for transposes and batches, which is every backward and all of attention. Here transposes are made explicit, and each
 * product of a batch runs on views of the same heap.
 */
export function fastMatMul(): void {
  replaceKernel<MatMulInputs, MatMulAttributes>("BatchMatMul", () => matMul);
}

function matMul({ inputs: { a, b }, attrs: { transposeA, transposeB }, backend }: KernelCall<MatMulInputs, MatMulAttributes>): TensorInfo {
  const left = transposeA ? transposed(a, backend) : a;
  const right = transposeB ? transposed(b, backend) : b;
  const [m, k] = left.shape.slice(-2) as [number, number];
  const [k2, n] = right.shape.slice(-2) as [number, number];
  assert(a.dtype === "float32" && b.dtype === "float32", `matMul on wasm takes float32, got ${a.dtype} and ${b.dtype}`);
  assert(k === k2, `matMul: inner sizes ${k} and ${k2} differ ([${a.shape}]·[${b.shape}], transposed ${transposeA}, ${transposeB})`);
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const out = backend.makeOutput([...batch, m, n], "float32");
  multiply(backend, left, right, out, [m, k, n], util.sizeFromShape(batch));
  if (transposeA) backend.disposeData(left.dataId);
  if (transposeB) backend.disposeData(right.dataId);
  return out;
}

function multiply(
  backend: WasmBackend,
  a: TensorInfo,
  b: TensorInfo,
  out: TensorInfo,
  [m, k, n]: [number, number, number],
  count: number,
): void {
  if (m * n * count === 0) return;
  if (k === 0) {
    // XNNPACK refuses empty sums; they are zero.
    backend.typedArrayFromHeap(out).fill(0);
    return;
  }
  const run = productOf(backend);
  requireRoom(backend, 4 * k * n + packingSlack);
  const place = (x: TensorInfo): { readonly id: number; readonly memoryOffset: number } => backend.dataIdMap.get(x.dataId);
  const [shapeA, shapeB] = [bytesOf([1, m, k]), bytesOf([1, k, n])];
  if (count === 1) {
    // The tensor's own id: XNNPACK keeps the packed weights until the tensor goes, so a weight is packed once.
    run(place(a).id, shapeA, 3, place(b).id, shapeB, 3, 0, 0, place(out).id);
    return;
  }
  const item = (x: TensorInfo, size: number, repeats: boolean): ((i: number) => number) => {
    const { memoryOffset } = place(x);
    return (i) => {
      const id = backend.dataIdNextNumber++;
      backend.wasm.tfjs.registerTensor(id, size, memoryOffset + (repeats ? 0 : 4 * size * i));
      return id;
    };
  };
  const [itemA, itemB, itemOut] = [item(a, m * k, batchOf(a) === 1), item(b, k * n, batchOf(b) === 1), item(out, m * n, false)];
  for (let i = 0; i < count; i++) {
    const ids = [itemA(i), itemB(i), itemOut(i)] as const;
    run(ids[0], shapeA, 3, ids[1], shapeB, 3, 0, 0, ids[2]);
    for (const id of ids) backend.wasm.tfjs.disposeData(id);
  }
}

/** Room XNNPACK's packed weights take beyond k·n floats: padding of the last tile, a bias row, the operator itself. */
const packingSlack = 4096;

/** Last two axes exchanged. */
function transposed(x: TensorInfo, backend: WasmBackend): TensorInfo {
  const rank = x.shape.length;
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  if (collides(rows) || collides(columns)) return transposedInBlocks(x, backend, rows, columns);
  const perm = [...x.shape.keys()].map((axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));
  return kernel<{ x: TensorInfo }, { perm: number[] }>("Transpose")({ inputs: { x }, attrs: { perm }, backend });
}

/** Rows a multiple of 1 KiB apart fall into the same cache sets: walking down a column then misses at every step (1.6 to 3.5 times slower). */
const collides = (length: number): boolean => length % 256 === 0;

function transposedInBlocks(x: TensorInfo, backend: WasmBackend, rows: number, columns: number): TensorInfo {
  const out = backend.makeOutput([...x.shape.slice(0, -2), columns, rows], "float32");
  const to = backend.typedArrayFromHeap(out);
  const from = backend.typedArrayFromHeap(x);
  const block = 8;
  for (let base = 0; base < from.length; base += rows * columns)
    for (let top = 0; top < rows; top += block)
      for (let left = 0; left < columns; left += block) {
        const bottom = Math.min(rows, top + block);
        const right = Math.min(columns, left + block);
        for (let c = left; c < right; c++)
          for (let r = top; r < bottom; r++) to[base + c * rows + r] = from[base + r * columns + c] as number;
      }
  return out;
}

type Product = ReturnType<WasmBackend["wasm"]["cwrap"]>;
const products = new WeakMap<WasmBackend, Product>();

function productOf(backend: WasmBackend): Product {
  const known = products.get(backend);
  if (known !== undefined) return known;
  const number = "number";
  const made = backend.wasm.cwrap("BatchMatMul", null, [number, "array", number, number, "array", number, number, number, number]);
  products.set(backend, made);
  return made;
}

const bytesOf = (shape: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(shape).buffer);

interface FusedInputs extends MatMulInputs {
  readonly bias?: TensorInfo;
  readonly preluActivationWeights?: TensorInfo;
}
interface FusedAttributes extends MatMulAttributes {
  readonly activation: backend_util.Activation;
  readonly leakyreluAlpha?: number;
}

/**
 * `tf.fused.matMul` from parts. The stock kernel is wrong in its slow path: with transposes or batches it adds the bias once per 48-wide block,
 * takes one bias element for all rows but the first, and clamps relu per block; no error says so.
 */
export function rightFusedMatMul(): void {
  replaceKernel<FusedInputs, FusedAttributes>("_FusedMatMul", (stock) => (call) => {
    const { attrs, backend } = call;
    if (isPlain(call)) {
      requireRoom(backend, 4 * util.sizeFromShape(call.inputs.b.shape) + packingSlack);
      return stock(call);
    }
    const { a, b, bias, preluActivationWeights } = call.inputs;
    const steps: [string, (x: TensorInfo) => object, object][] = [];
    if (bias !== undefined && bias !== null) steps.push(["Add", (x) => ({ a: x, b: bias }), {}]);
    const activation = activationKernels[attrs.activation];
    assert(activation !== undefined, `fused.matMul: activation "${attrs.activation}" is unknown`);
    if (activation !== "")
      steps.push([activation, (x) => activationInputs(x, activation, preluActivationWeights), { alpha: attrs.leakyreluAlpha ?? 0.2 }]);
    let out = matMul({ inputs: { a, b }, attrs, backend });
    for (const [name, inputs, attributes] of steps) {
      const next = kernel<object, object>(name)({ inputs: inputs(out), attrs: attributes, backend });
      backend.disposeData(out.dataId);
      out = next;
    }
    return out;
  });
}

/** One [m, k]·[k, n] with a bias row and nothing empty: the form the stock kernel hands to XNNPACK, which has it right. */
function isPlain({ inputs: { a, b, bias }, attrs }: KernelCall<FusedInputs, FusedAttributes>): boolean {
  const products = util.sizeFromShape(a.shape) * util.sizeFromShape(b.shape);
  const row = bias === undefined || bias === null || (bias.shape.length === 1 && bias.shape[0] === b.shape.at(-1));
  return (
    !attrs.transposeA && !attrs.transposeB && batchOf(a) === 1 && batchOf(b) === 1 && attrs.activation === "linear" && row && products > 0
  );
}

const activationKernels: Readonly<Record<backend_util.Activation, string>> = {
  linear: "",
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
};

function activationInputs(x: TensorInfo, activation: string, alpha: TensorInfo | undefined): object {
  if (activation !== "Prelu") return { x };
  assert(alpha !== undefined, "fused.matMul with prelu needs its weights");
  return { x, alpha };
}
