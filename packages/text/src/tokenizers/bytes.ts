import { tokenBytes } from "./token-bytes.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { endOfTextName } from "./tokenizer.ts";
import { utf8 } from "./utf8.ts";

/** Options of {@link bytes}. */
export interface BytesOptions {
  /** Adds id 256, which separates documents. Default false. */
  readonly endOfText?: boolean;
}

/**
 * The tokenizer without a vocabulary to learn: one id per UTF-8 byte, so id = byte value.
 * @example
 * ```ts
 * bytes().encode("é"); // Int32Array [195, 169]
 * ```
 */
export function bytes(options: BytesOptions = {}): Tokenizer {
  const endOfText = options.endOfText ?? false;
  const tokens = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  if (endOfText) tokens.push(utf8(endOfTextName));
  return Object.freeze({
    name: "bytes",
    vocabularySize: tokens.length,
    endOfText: endOfText ? 256 : null,
    encode: (text: string) => Int32Array.from(utf8(text)),
    ...tokenBytes("bytes", tokens, new Set(endOfText ? [256] : [])),
    save: () => ({ type: "bytes" as const, version: 1 as const, endOfText }),
  });
}
