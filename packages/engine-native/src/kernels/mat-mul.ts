import { EitpError } from "@eitp/engine/error";
import { broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../backend.ts";
import { areFloats, replace } from "./define.ts";

interface Transposes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
interface FusedAttributes extends Transposes {
  readonly activation?: string;
}
interface FusedInputs {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly bias?: TensorInfo;
}

/** A·B over the last two axes, either transposed, leading axes broadcast; `bias` [n] is added to each row. */
export function matMul(
  backend: NativeBackend,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: Transposes,
  bias?: TensorInfo,
): TensorInfo {
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [k2, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (k !== k2)
    throw new EitpError(
      "usage",
      `matMul: inner sizes ${k} and ${k2} differ: [${a.shape}]${transposeA ? "ᵀ" : ""}·[${b.shape}]${transposeB ? "ᵀ" : ""}`,
    );
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const lead = broadcast_util.assertAndGetBroadcastShape(leadA, leadB);
  const batch = util.sizeFromShape(lead);
  const [ownA, ownB] = [util.sizeFromShape(leadA), util.sizeFromShape(leadB)];
  const out = backend.output([...lead, m, n], "float32");
  const stride = (own: number, size: number): number => (own === 1 ? 0 : size);
  backend.call(
    backend.numberOf("gemm"),
    batch,
    m,
    n,
    k,
    backend.address(a),
    stride(ownA, m * k),
    transposeA ? 1 : k,
    transposeA ? m : 1,
    backend.address(b),
    stride(ownB, k * n),
    transposeB ? 1 : n,
    transposeB ? k : 1,
    backend.address(out),
    bias === undefined ? 0 : backend.address(bias),
  );
  return out;
}

/** Whether the batches of a product are the whole result's, or one for all: strides then say it all. */
function isPlain(a: TensorInfo, b: TensorInfo): boolean {
  const [ownA, ownB] = [util.sizeFromShape(a.shape.slice(0, -2)), util.sizeFromShape(b.shape.slice(0, -2))];
  return ownA === ownB || ownA === 1 || ownB === 1;
}

export function registerMatMul(): void {
  replace<FusedInputs, Transposes>("BatchMatMul", (stock) => (call) => {
    const { a, b } = call.inputs;
    return areFloats(a, b) && isPlain(a, b) ? matMul(call.backend, a, b, call.attrs) : stock(call);
  });
  replace<FusedInputs, FusedAttributes>("_FusedMatMul", (stock) => (call) => {
    const { a, b, bias } = call.inputs;
    const { activation } = call.attrs;
    const plain = areFloats(a, b) && isPlain(a, b) && (activation === undefined || activation === "linear");
    const n = b.shape[b.shape.length - (call.attrs.transposeB ? 2 : 1)];
    const rowBias = bias === undefined || (bias.dtype === "float32" && util.sizeFromShape(bias.shape) === n);
    return plain && rowBias ? matMul(call.backend, a, b, call.attrs, bias) : stock(call);
  });
}
