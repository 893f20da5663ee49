import { EitpError } from "@eitp/engine/error";
import type { SafetensorsArrays, SafetensorsDtype } from "./dtype.ts";
import { assertLittleEndian } from "./endian.ts";
import { f16ToF32Bits } from "./half.ts";
import { parseHeader, type SafetensorsInfo } from "./header.ts";

/** A tensor on the host: row-major data of its stored type. */
export type SafetensorsTensor = {
  readonly [D in SafetensorsDtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: SafetensorsArrays[D] };
}[SafetensorsDtype];

/** A file's tensors in file order, and its metadata. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  readonly metadata: { readonly [key: string]: string };
}

/**
 * Reads a whole safetensors file. The arrays are copies; nothing refers to `bytes` afterwards.
 * @param file named in errors
 * @throws EitpError "data" for a malformed or hostile file, naming what is wrong and where
 * @example
 * ```ts
 * const file = encodeSafetensors([{ name: "a", dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }]);
 * decodeSafetensors(file).tensors.get("a")?.shape; // [2]
 * ```
 * @see https://github.com/huggingface/safetensors#format
 */
export function decodeSafetensors(bytes: Uint8Array, file = "safetensors"): Safetensors {
  const { tensors, metadata } = parseHeader(bytes, bytes.length, file);
  const read = Array.from(tensors, ([name, info]): [string, SafetensorsTensor] => [
    name,
    readTensor(info, bytes.subarray(info.begin, info.end), `${file}: tensor ${JSON.stringify(name)}`),
  ]);
  return { tensors: new Map(read), metadata };
}

/**
 * Turns the bytes [`info.begin`, `info.end`) of a file into an array.
 * @param where named in errors
 * @throws EitpError "data" where the bytes are not as many as the shape needs, or a BOOL is neither 0 nor 1
 */
export function readTensor(info: SafetensorsInfo, bytes: Uint8Array, where = "tensor"): SafetensorsTensor {
  if (bytes.length !== info.end - info.begin) {
    throw new EitpError("data", `${where}: expected ${info.end - info.begin} bytes of ${info.dtype} [${info.shape}], got ${bytes.length}.`);
  }
  assertLittleEndian();
  const { dtype, shape } = info;
  // A copy is aligned, whatever the offset in the file, and does not keep the whole file in memory.
  const { buffer } = new Uint8Array(bytes);
  switch (dtype) {
    case "F32":
      return { dtype, shape, data: new Float32Array(buffer) };
    case "F16":
      return { dtype, shape, data: widen(new Uint16Array(buffer), f16ToF32Bits) };
    case "BF16":
      return { dtype, shape, data: widen(new Uint16Array(buffer), (half) => half << 16) };
    case "F64":
      return { dtype, shape, data: new Float64Array(buffer) };
    case "I64":
      return { dtype, shape, data: new BigInt64Array(buffer) };
    case "U64":
      return { dtype, shape, data: new BigUint64Array(buffer) };
    case "I32":
      return { dtype, shape, data: new Int32Array(buffer) };
    case "U32":
      return { dtype, shape, data: new Uint32Array(buffer) };
    case "I16":
      return { dtype, shape, data: new Int16Array(buffer) };
    case "U16":
      return { dtype, shape, data: new Uint16Array(buffer) };
    case "I8":
      return { dtype, shape, data: new Int8Array(buffer) };
    case "U8":
      return { dtype, shape, data: new Uint8Array(buffer) };
    case "BOOL":
      return { dtype, shape, data: checkBooleans(new Uint8Array(buffer), where) };
  }
}

function widen(halves: Uint16Array, toBits: (half: number) => number): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) bits[i] = toBits(halves[i] as number);
  return new Float32Array(bits.buffer);
}

function checkBooleans(values: Uint8Array, where: string): Uint8Array {
  const at = values.findIndex((value) => value > 1);
  if (at >= 0) throw new EitpError("data", `${where}: BOOL element ${at} is ${values[at]}; expected 0 or 1.`);
  return values;
}
