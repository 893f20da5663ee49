import { type backend_util, broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { assert } from "../../error.ts";
import { addressOf, type KernelCall, kernel, replaceKernel, type WasmBackend } from "./heap.ts";
import { kernelsOf } from "./kernel-module.ts";
import { withScratch } from "./scratch.ts";

interface MatMulInputs {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
}
interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/**
 * Products by our own kernel, whatever the form. The stock one takes XNNPACK for [m, k]·[k, n] only and falls back to a scalar triple loop
 * (1–2 GFLOPS) for transposes and batches, which is every backward.
 */
export function fastMatMul(): void {
  replaceKernel<MatMulInputs, MatMulAttributes>("BatchMatMul", () => (call) => matMul(call));
}

function matMul(
  { inputs: { a, b }, attrs: { transposeA, transposeB }, backend }: KernelCall<MatMulInputs, MatMulAttributes>,
  bias?: TensorInfo,
): TensorInfo {
  const [m, k] = turned(a.shape.slice(-2), transposeA);
  const [k2, n] = turned(b.shape.slice(-2), transposeB);
  assert(a.dtype === "float32" && b.dtype === "float32", `matMul on wasm takes float32, got ${a.dtype} and ${b.dtype}`);
  assert(k === k2, `matMul: inner sizes ${k} and ${k2} differ ([${a.shape}]·[${b.shape}], transposed ${transposeA}, ${transposeB})`);
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const out = backend.makeOutput([...batch, m, n], "float32");
  const { gemm, gemmScratch } = kernelsOf(backend);
  const [aRow, aColumn] = transposeA ? [1, m] : [k, 1];
  const [bRow, bColumn] = transposeB ? [1, k] : [n, 1];
  const [fromA, fromB] = [placesOf(backend, a, batch), placesOf(backend, b, batch)];
  const to = addressOf(backend, out);
  const biasAt = bias === undefined ? 0 : addressOf(backend, bias);
  withScratch(backend, gemmScratch(m, n, k), (scratch) => {
    for (let i = 0; i < util.sizeFromShape(batch); i++)
      gemm(m, n, k, fromA(i), aRow, aColumn, fromB(i), bRow, bColumn, to + 4 * m * n * i, n, false, biasAt, scratch);
  });
  return out;
}

const turned = (shape: readonly number[], yes: boolean): [number, number] => {
  const [rows, columns] = shape as [number, number];
  return yes ? [columns, rows] : [rows, columns];
};

/** Address of the matrix of `x` that item `i` of the batch `shape` takes: axes of length 1 repeat. */
function placesOf(backend: WasmBackend, x: TensorInfo, shape: number[]): (i: number) => number {
  const own = x.shape.slice(0, -2);
  const base = addressOf(backend, x);
  const bytes = 4 * util.sizeFromShape(x.shape.slice(-2));
  if (util.sizeFromShape(own) === util.sizeFromShape(shape)) return (i) => base + bytes * i;
  const missing = shape.length - own.length;
  return (i) => {
    let [rest, step, index] = [i, 1, 0];
    for (let axis = shape.length - 1; axis >= missing; axis--) {
      const [length, whole] = [own[axis - missing] as number, shape[axis] as number];
      if (length > 1) index += step * (rest % whole);
      step *= length;
      rest = Math.floor(rest / whole);
    }
    return base + bytes * index;
  };
}

interface FusedInputs extends MatMulInputs {
  readonly bias?: TensorInfo | null;
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
  replaceKernel<FusedInputs, FusedAttributes>("_FusedMatMul", () => ({ inputs, attrs, backend }) => {
    const { a, b, bias, preluActivationWeights } = inputs;
    const columns = b.shape.at(attrs.transposeB ? -2 : -1);
    const row = bias?.shape.length === 1 && bias.shape[0] === columns ? bias : undefined;
    const steps: [string, (x: TensorInfo) => object, object][] = [];
    if (bias && row === undefined) steps.push(["Add", (x) => ({ a: x, b: bias }), {}]);
    const activation = activationKernels[attrs.activation];
    assert(activation !== undefined, `fused.matMul: activation "${attrs.activation}" is unknown`);
    if (activation !== "")
      steps.push([activation, (x) => activationInputs(x, activation, preluActivationWeights), { alpha: attrs.leakyreluAlpha ?? 0.2 }]);
    let out = matMul({ inputs: { a, b }, attrs, backend }, row);
    for (const [name, inputsOf, attributes] of steps) {
      const next = kernel<object, object>(name)({ inputs: inputsOf(out), attrs: attributes, backend });
      backend.disposeData(out.dataId);
      out = next;
    }
    return out;
  });
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
