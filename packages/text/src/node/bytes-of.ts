import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { errnoOf } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import { unreadable } from "./input-error.ts";
import type { InputFile } from "./inputs.ts";

/** Large enough that the cost per chunk vanishes, small against any memory. */
const chunkBytes = 256 * 1024;

/**
 * The bytes of an input in chunks, unpacked where it is gzip.
 * @throws EitpError "data" where it cannot be read, is empty, or is corrupt or truncated gzip.
 */
export async function* bytesOf(input: InputFile, stdin: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const chunk of input.gzip ? unpacked(input, stdin) : packed(input, stdin)) {
      total += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw unreadable(nameOf(input), error);
  }
  if (total === 0) throw new EitpError("data", `${nameOf(input)} is empty. Give a file with text in it.`);
}

/** How an input is called in messages. */
export function nameOf(input: InputFile): string {
  return input.path === "-" ? "standard input" : input.path;
}

function packed(input: InputFile, stdin: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return input.path === "-" ? stdin : createReadStream(input.path, { highWaterMark: chunkBytes });
}

async function* unpacked(input: InputFile, stdin: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  // A failure of either side destroys the other with the same error, which the loop below throws; nothing is left for the callback.
  pipeline(packed(input, stdin), gunzip, () => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    const code = errnoOf(error);
    if (!code.startsWith("Z_")) throw error;
    const what = code === "Z_BUF_ERROR" ? "ends in the middle of its gzip data" : `is not valid gzip data (${code})`;
    throw new EitpError("data", `${nameOf(input)} ${what}. Download or compress it again.`, { cause: error });
  }
}
