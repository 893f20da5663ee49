import type { StreamDecoder } from "./tokenizer.ts";
import { unknownId } from "./tokenizer.ts";
import { fromUtf8, streamBytes } from "./utf8.ts";

/** The half of a tokenizer that reads ids: everything follows from the bytes each id stands for. */
export interface TokenBytes {
  decode(ids: Iterable<number>): string;
  decodeBytes(ids: Iterable<number>): Uint8Array;
  byteLengths(): Int32Array;
  createDecoder(): StreamDecoder;
}

/** Decoding for a vocabulary in which id i always stands for `tokens[i]`; ids in `special` show their name but count 0 bytes. */
export function tokenBytes(name: string, tokens: readonly Uint8Array[], special: ReadonlySet<number>): TokenBytes {
  const bytesOf = (id: number, position: number): Uint8Array => {
    const bytes = tokens[id];
    if (bytes === undefined) throw unknownId(name, position, id, tokens.length);
    return bytes;
  };
  const decodeBytes = (ids: Iterable<number>): Uint8Array => {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const id of ids) {
      const bytes = bytesOf(id, parts.length);
      parts.push(bytes);
      length += bytes.length;
    }
    const joined = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  };
  return {
    decode: (ids) => fromUtf8(decodeBytes(ids)),
    decodeBytes,
    byteLengths: () => Int32Array.from(tokens, (bytes, id) => (special.has(id) ? 0 : bytes.length)),
    createDecoder: () => streamBytes(bytesOf),
  };
}
