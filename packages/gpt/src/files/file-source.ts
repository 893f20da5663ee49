import { EitpError } from "@eitp/engine/error";

/** A parsed JSON object of somebody else's making. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** A folder that can be read in pieces: on disk (`@eitp/gpt/node`), in memory, or dropped onto a page. */
export interface FileSource {
  /** Named in errors. */
  readonly name: string;
  /** Plain file names. */
  list(): Promise<readonly string[]>;
  /** Length in bytes. */
  size(file: string): Promise<number>;
  /** Bytes [begin, end). */
  read(file: string, begin: number, end: number): Promise<Uint8Array>;
}

/** Files in memory as a {@link FileSource}. */
export function filesInMemory(files: { readonly [name: string]: Uint8Array }, name = "files"): FileSource {
  const get = (file: string): Uint8Array => {
    const bytes = Object.hasOwn(files, file) ? files[file] : undefined;
    if (bytes === undefined) throw new EitpError("io", `${name} has no file ${file}; it has ${Object.keys(files).join(", ")}.`);
    return bytes;
  };
  return {
    name,
    list: async () => Object.keys(files),
    size: async (file) => get(file).length,
    read: async (file, begin, end) => get(file).subarray(begin, end),
  };
}

/** A whole file. */
export async function readAll(source: FileSource, file: string): Promise<Uint8Array> {
  return source.read(file, 0, await source.size(file));
}

/**
 * A whole file as a JSON object.
 * @throws EitpError "data" for invalid UTF-8, invalid JSON, or anything but an object
 */
export async function readJsonObject(source: FileSource, file: string): Promise<JsonObject> {
  const bytes = await readAll(source, file);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new EitpError("data", `${source.name}/${file} is not valid JSON: ${String(cause)}.`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new EitpError("data", `${source.name}/${file} must hold a JSON object, got ${Array.isArray(value) ? "a list" : String(value)}.`);
  }
  return value as JsonObject;
}
