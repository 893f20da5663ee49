import { wordMerger } from "./merge-word.ts";
import { pairTable } from "./pair-table.ts";
import { preTokenEnd } from "./pre-tokens.ts";
import { tokenBytes } from "./token-bytes.ts";
import type { Tokenizer, TokenizerFile } from "./tokenizer.ts";
import { fromUtf8, utf8Into } from "./utf8.ts";

/** What a byte-level BPE is made of. */
export interface ByteBpeParts {
  readonly name: string;
  /** Bytes of every id; for special tokens the UTF-8 of their name. */
  readonly tokens: readonly Uint8Array[];
  /** Id of each of the 256 bytes. */
  readonly byteIds: Int32Array;
  /** left, right, result; … by rank. */
  readonly merges: Int32Array;
  readonly special: ReadonlySet<number>;
  readonly endOfText: number | null;
  readonly file: TokenizerFile;
}

/** A tokenizer from its merge rules, with GPT-2's pre-tokenisation. Time grows as n log n in the longest pre-token. */
export function byteBpe(parts: ByteBpeParts): Tokenizer {
  const { name, tokens, special, endOfText, file } = parts;
  return Object.freeze({
    name,
    vocabularySize: tokens.length,
    endOfText,
    encode: wordEncoder(parts.byteIds, parts.merges),
    ...tokenBytes(name, tokens, special),
    save: () => file,
  });
}

const cachedWords = 100_000;
const cachedLength = 64;
// V8 keeps a slice of 13 or more units as a view of its parent; such a key would keep a whole corpus chunk alive.
const ownStringLength = 12;

function wordEncoder(byteIds: Int32Array, merges: Int32Array): (text: string) => Int32Array {
  const merge = wordMerger(pairTable(merges));
  const cache = new Map<string, number | Int32Array>();
  let bytes = new Uint8Array(1024);
  let ids = new Int32Array(1024);

  const encodeWord = (word: string): number | Int32Array => {
    if (3 * word.length > bytes.length) {
      bytes = new Uint8Array(6 * word.length);
      ids = new Int32Array(6 * word.length);
    }
    const length = utf8Into(word, bytes);
    for (let at = 0; at < length; at++) ids[at] = byteIds[bytes[at] as number] as number;
    const count = merge(ids, length);
    const encoded = count === 1 ? (ids[0] as number) : ids.slice(0, count);
    if (word.length <= cachedLength) {
      if (cache.size >= cachedWords) cache.clear();
      cache.set(word.length <= ownStringLength ? word : fromUtf8(bytes.subarray(0, length)), encoded);
    }
    return encoded;
  };

  return (text) => {
    let out = new Int32Array(16 + (text.length >> 1));
    let count = 0;
    for (let at = 0; at < text.length; ) {
      const end = preTokenEnd(text, at);
      const word = text.slice(at, end);
      at = end;
      const encoded = cache.get(word) ?? encodeWord(word);
      const more = typeof encoded === "number" ? 1 : encoded.length;
      if (count + more > out.length) {
        const larger = new Int32Array(2 * out.length + more);
        larger.set(out);
        out = larger;
      }
      if (typeof encoded === "number") out[count] = encoded;
      else out.set(encoded, count);
      count += more;
    }
    return out.slice(0, count);
  };
}
