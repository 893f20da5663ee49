import { readFile } from "node:fs/promises";
import { ioError } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";

export type JsonObject = { readonly [key: string]: unknown };

/**
 * The object in a JSON file; undefined where there is no such file.
 * @param what - For messages: "the tokenizer".
 * @throws EitpError "data" where it is not a JSON object, "io" where it cannot be read.
 */
export async function readJsonFile(path: string, what: string): Promise<JsonObject | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw ioError(error, { action: `read ${what}`, path });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EitpError("data", `${path} is not JSON (${reason}), so ${what} cannot be read from it.`, { cause });
  }
  if (isObject(value)) return value;
  throw new EitpError("data", `${path} holds no JSON object, so ${what} cannot be read from it.`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
