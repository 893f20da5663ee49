import { isUtf8 } from "node:buffer";
import { EitpError } from "@eitp/engine/error";
import { binaryReason } from "./binary.ts";
import { type BadSequence, badSequence } from "./utf8.ts";

/** What to do with bytes that are no UTF-8. */
export interface DecodeOptions {
  /** Replace each bad sequence by U+FFFD instead of refusing the file. */
  readonly replaceInvalid: boolean;
  /** Told once per input with how many sequences were replaced, if any were. */
  readonly onReplaced?: (name: string, count: number) => void;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const byteOrderMark = "\ufeff";

/**
 * The text of a stream of UTF-8 bytes, piece by piece; no piece splits a code point. A byte order mark at the start is dropped.
 * @throws EitpError "data" with the byte offset, for binary data and, unless it is replaced, for invalid UTF-8.
 */
export async function* decodeText(chunks: AsyncIterable<Uint8Array>, name: string, options: DecodeOptions): AsyncGenerator<string> {
  let carry: Uint8Array = new Uint8Array(0);
  let offset = 0;
  let replaced = 0;
  const refuse = (bad: BadSequence, bytes: Uint8Array): void => {
    if (!options.replaceInvalid) throw invalidUtf8(name, offset + bad.at, bytes.subarray(bad.at, bad.at + bad.length));
    replaced++;
  };
  for await (const chunk of chunks) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    refuseBinary(bytes, offset, name);
    const end = completeEnd(bytes);
    const whole = bytes.subarray(0, end);
    for (let bad = isUtf8(whole) ? undefined : badSequence(whole); bad; bad = badSequence(whole, bad.at + bad.length)) refuse(bad, whole);
    const text = decoder.decode(whole);
    const piece = offset === 0 && text.startsWith(byteOrderMark) ? text.slice(1) : text;
    if (piece !== "") yield piece;
    offset += end;
    carry = bytes.slice(end);
  }
  if (carry.length > 0) {
    refuse({ at: 0, length: carry.length, incomplete: true }, carry);
    yield "\ufffd";
  }
  if (replaced > 0) options.onReplaced?.(name, replaced);
}

/**
 * A string from bytes that are complete, such as one value of a table, under the same rules.
 * @throws EitpError "data" for invalid UTF-8, unless it is replaced.
 */
export function decodeBytes(
  bytes: Uint8Array,
  name: string,
  replaceInvalid: boolean,
): { readonly text: string; readonly replaced: number } {
  let replaced = 0;
  for (let bad = isUtf8(bytes) ? undefined : badSequence(bytes); bad; bad = badSequence(bytes, bad.at + bad.length)) {
    if (!replaceInvalid) throw invalidUtf8(name, bad.at, bytes.subarray(bad.at, bad.at + bad.length));
    replaced++;
  }
  return { text: decoder.decode(bytes), replaced };
}

/** Where the last complete sequence ends: up to three bytes may wait for the next chunk. */
function completeEnd(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at >= Math.max(0, bytes.length - 3); at--) {
    if (((bytes[at] as number) & 0xc0) === 0x80) continue;
    return badSequence(bytes, at)?.incomplete ? at : bytes.length;
  }
  return bytes.length;
}

function refuseBinary(bytes: Uint8Array, offset: number, name: string): void {
  const reason = binaryReason(bytes, offset);
  if (reason) throw new EitpError("data", `${name} is not a text file: ${reason}. Give plain UTF-8 text, .jsonl, .jsonl.gz or .parquet.`);
}

function invalidUtf8(name: string, offset: number, bytes: Uint8Array): EitpError {
  const shown = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const what = `${name} is not valid UTF-8: byte offset ${offset} holds ${shown}.`;
  return new EitpError("data", `${what} Convert it (iconv -f latin1 -t utf-8), or allow replacement by U+FFFD (--replace-invalid).`);
}
