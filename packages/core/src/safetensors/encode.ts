import { assert, EitpError } from "@eitp/engine/error";
import type { SafetensorsTensor } from "./decode.ts";
import { dtypeBytes, dtypes } from "./dtype.ts";
import { assertLittleEndian } from "./endian.ts";
import { f32ToBf16Bits, f32ToF16Bits } from "./half.ts";

/** A tensor to write. F16 and BF16 are rounded to nearest even from float32. */
export type NamedTensor = { readonly name: string } & SafetensorsTensor;

/**
 * Writes a safetensors file. The same tensors and metadata give the same bytes in whatever order they come: the layout (and, up to the
 * order of metadata, every byte) is that of the reference implementation.
 * @param metadata free text pairs, e.g. `{ format: "pt" }`
 * @throws EitpError "usage" for a duplicate or forbidden name, or data that do not fit the shape
 * @example
 * ```ts
 * const file = encodeSafetensors([{ name: "a", dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }], { format: "pt" });
 * ```
 */
export function encodeSafetensors(tensors: readonly NamedTensor[], metadata: { readonly [key: string]: string } = {}): Uint8Array {
  assertLittleEndian();
  const sorted = [...tensors].sort((a, b) => dtypes.indexOf(b.dtype) - dtypes.indexOf(a.dtype) || compare(a.name, b.name));
  checkTensors(sorted);

  const entries: [string, unknown][] = [];
  const pairs = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  checkMetadata(pairs);
  if (pairs.length > 0) entries.push(["__metadata__", Object.fromEntries(pairs)]);
  let at = 0;
  for (const { name, dtype, shape, data } of sorted) {
    const end = at + data.length * dtypeBytes[dtype];
    entries.push([name, { dtype, shape, data_offsets: [at, end] }]);
    at = end;
  }

  // Joined by hand: an object would move integer-like names to the front.
  const json = new TextEncoder().encode(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`);
  const dataStart = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(dataStart + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.fill(0x20, 8, dataStart);
  bytes.set(json, 8);
  let offset = dataStart;
  for (const tensor of sorted) {
    const stored = storedBytes(tensor);
    bytes.set(stored, offset);
    offset += stored.length;
  }
  assert(offset === bytes.length, `safetensors: wrote ${offset} of ${bytes.length} bytes`);
  return bytes;
}

function storedBytes({ dtype, data }: SafetensorsTensor): Uint8Array {
  if (dtype === "F16") return narrow(data, f32ToF16Bits);
  if (dtype === "BF16") return narrow(data, f32ToBf16Bits);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function narrow(data: Float32Array, toHalf: (bits: number) => number): Uint8Array {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  return new Uint8Array(Uint16Array.from(bits, toHalf).buffer);
}

function checkTensors(sorted: readonly NamedTensor[]): void {
  const seen = new Set<string>();
  for (const { name, dtype, shape, data } of sorted) {
    checkName(name, "tensor name");
    if (seen.has(name)) refuse(`two tensors are called ${JSON.stringify(name)}; names must be unique`);
    seen.add(name);
    const size = shape.reduce((a, b) => a * b, 1);
    if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0) || data.length !== size) {
      refuse(`tensor ${JSON.stringify(name)} of shape [${shape}] needs ${size} values, got ${data.length}`);
    }
    if (dtype === "BOOL" && (data as Uint8Array).some((value) => value > 1))
      refuse(`tensor ${JSON.stringify(name)}: BOOL holds only 0 and 1`);
  }
}

function checkMetadata(pairs: readonly [string, unknown][]): void {
  for (const [key, value] of pairs) {
    checkName(key, "metadata key");
    if (typeof value !== "string") refuse(`metadata ${JSON.stringify(key)} must be a string, got ${typeof value}`);
    if (/\p{Surrogate}/u.test(value)) refuse(`metadata ${JSON.stringify(key)} is not valid Unicode`);
  }
}

/** What the reader would refuse must not be written. */
function checkName(name: string, what: string): void {
  if (name === "__metadata__" || name === "__proto__" || /\p{Surrogate}/u.test(name)) refuse(`${JSON.stringify(name)} cannot be a ${what}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
function refuse(what: string): never {
  throw new EitpError("usage", `encodeSafetensors: ${what}.`);
}
