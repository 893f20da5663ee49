import { EitpError } from "@eitp/engine/error";
import { dtypeBytes, dtypes, isDtype, type SafetensorsDtype } from "./dtype.ts";
import { visitKeys } from "./json-keys.ts";

/** Where one tensor lies: bytes [begin, end) of the file. */
export interface SafetensorsInfo {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}
/** What a file says it holds, checked against its length. */
export interface SafetensorsHeader {
  /** In file order. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
  /** Free text pairs; empty where the file has none. */
  readonly metadata: { readonly [key: string]: string };
}

/** The reference implementation refuses larger headers too. */
const maxHeaderBytes = 100_000_000;
const metadataKey = "__metadata__";
const entryFields = ["dtype", "shape", "data_offsets"];

/**
 * Length of the length field and header together, from the first 8 bytes of a file: how much to read for {@link parseHeader}.
 * @param file named in errors
 * @throws EitpError "data" where the header would reach beyond the file or exceed 100 MB
 */
export function headerBytes(firstBytes: Uint8Array, fileLength: number, file = "safetensors"): number {
  if (firstBytes.length < 8 || fileLength < 8) {
    refuse(
      file,
      `expected at least 8 bytes of header length, got ${Math.min(firstBytes.length, fileLength)}; the file is cut off or empty`,
    );
  }
  const length = new DataView(firstBytes.buffer, firstBytes.byteOffset, 8).getBigUint64(0, true);
  if (length > maxHeaderBytes)
    refuse(file, `header length ${length} exceeds the limit of ${maxHeaderBytes} bytes; this is not a safetensors file`);
  if (Number(length) > fileLength - 8) {
    refuse(file, `header length ${length} reaches beyond the file, which has ${fileLength} bytes; the file is cut off or not safetensors`);
  }
  return 8 + Number(length);
}

/**
 * Reads and checks the header alone, so that a large file can be read tensor by tensor.
 * @param firstBytes the file's beginning, at least {@link headerBytes} long
 * @param fileLength of the whole file, in bytes
 * @param file named in errors
 * @throws EitpError "data" for anything that is not a well-formed file without gaps, overlaps or duplicate names
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseHeader(firstBytes: Uint8Array, fileLength: number, file = "safetensors"): SafetensorsHeader {
  const dataStart = headerBytes(firstBytes, fileLength, file);
  if (firstBytes.length < dataStart) {
    throw new EitpError(
      "usage",
      `parseHeader: ${file} has a header of ${dataStart} bytes, got the first ${firstBytes.length}. Read headerBytes(…) first.`,
    );
  }
  const root = parseJson(firstBytes.subarray(8, dataStart), file);
  const tensors: [string, SafetensorsInfo][] = [];
  let metadata: { readonly [key: string]: string } = {};
  for (const [name, entry] of Object.entries(root)) {
    if (name === metadataKey) metadata = checkMetadata(entry, file);
    else tensors.push([name, checkEntry(name, entry, dataStart, fileLength, file)]);
  }
  tensors.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkCover(tensors, dataStart, fileLength, file);
  return { tensors: new Map(tensors), metadata };
}

function parseJson(bytes: Uint8Array, file: string): object {
  if (bytes[0] !== 0x7b) refuse(file, "header does not start with “{”");
  let text: string;
  let root: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EitpError("data", `${file}: header is not valid UTF-8.`, { cause });
  }
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw new EitpError("data", `${file}: header is not valid JSON: ${String(cause)}.`, { cause });
  }
  const depth = visitKeys(text, (key, seen) => {
    if (seen.has(key)) refuse(file, `duplicate name ${quote(key)} in the header`);
    // An own key of this name turns into a prototype as soon as someone copies the record by assignment.
    if (key === "__proto__") refuse(file, `forbidden name "__proto__" in the header`);
    if (/\p{Surrogate}/u.test(key)) refuse(file, `name ${quote(key)} in the header is not valid Unicode`);
  });
  // A well-formed header is an object of objects with lists in them; deeper ones overflow the stack of whoever prints them.
  if (depth > 3) refuse(file, `header nests ${depth} levels deep; expected at most 3`);
  if (!isRecord(root)) refuse(file, `header must be a JSON object, got ${describe(root)}`);
  return root;
}

function checkMetadata(entry: unknown, file: string): { readonly [key: string]: string } {
  if (!isRecord(entry)) refuse(file, `${metadataKey} must map strings to strings, got ${describe(entry)}`);
  const pairs = Object.entries(entry).map(([key, value]): [string, string] => {
    if (typeof value !== "string") refuse(file, `${metadataKey}.${quote(key)} must be a string, got ${describe(value)}`);
    return [key, value];
  });
  return Object.fromEntries(pairs);
}

function checkEntry(name: string, entry: unknown, dataStart: number, fileLength: number, file: string): SafetensorsInfo {
  const at = `tensor ${quote(name)}`;
  if (!isRecord(entry)) refuse(file, `${at} must be an object with ${entryFields.join(", ")}, got ${describe(entry)}`);
  for (const field of entryFields) if (!Object.hasOwn(entry, field)) refuse(file, `${at} has no field "${field}"`);
  for (const field of Object.keys(entry)) if (!entryFields.includes(field)) refuse(file, `${at} has an unknown field ${quote(field)}`);

  const { dtype, shape, data_offsets: offsets } = entry as { dtype: unknown; shape: unknown; data_offsets: unknown };
  if (typeof dtype !== "string" || !isDtype(dtype)) {
    refuse(file, `${at} has dtype ${describe(dtype)}; supported are ${dtypes.join(", ")}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) refuse(file, `${at} has shape ${describe(shape)}; expected integers ≥ 0`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    refuse(file, `${at} has data_offsets ${describe(offsets)}; expected two integers ≥ 0`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = byteLength(dtype, shape);
  if (bytes === null) refuse(file, `${at} has shape ${describe(shape)}, whose size overflows`);
  if (end > fileLength - dataStart) {
    refuse(file, `${at} has data_offsets ${describe(offsets)} beyond the ${fileLength - dataStart} bytes of data; the file is cut off`);
  }
  if (end - begin !== bytes) {
    refuse(file, `${at} has data_offsets ${describe(offsets)} (${end - begin} bytes), but ${dtype} ${describe(shape)} takes ${bytes}`);
  }
  return { dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

/** Bytes of a tensor, or null where that is not an exact integer. */
function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number | null {
  let bytes = dtypeBytes[dtype];
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) return null;
  }
  return bytes;
}

/** Tensors, sorted by offset, must cover the data exactly once: a gap can smuggle bytes, an overlap can multiply them. */
function checkCover(tensors: readonly [string, SafetensorsInfo][], dataStart: number, fileLength: number, file: string): void {
  let at = dataStart;
  for (const [name, { begin, end }] of tensors) {
    if (begin < at) refuse(file, `tensor ${quote(name)} overlaps the one before it: starts at byte ${begin}, which ends at ${at}`);
    if (begin > at) refuse(file, `gap of ${begin - at} bytes before tensor ${quote(name)} at byte ${at}`);
    at = end;
  }
  if (at !== fileLength) refuse(file, `${fileLength - at} trailing bytes after the last tensor, at byte ${at}`);
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
/** Hostile names must not flood the terminal. */
function quote(name: string): string {
  return describe(name);
}
function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
function refuse(file: string, what: string): never {
  throw new EitpError("data", `${file}: ${what}.`);
}
