import { EitpError } from "@eitp/engine/error";

/** Turns generated ids into text as they come; incomplete UTF-8 is held back until its last byte arrives. */
export interface StreamDecoder {
  /** Text that became complete with this id; often "". Throws EitpError "data" for an id outside the vocabulary. */
  push(id: number): string;
  /** What was held back; bytes that never became a character read as U+FFFD. The decoder is fresh afterwards. */
  end(): string;
}

/**
 * Text to token ids and back. `decode(encode(x))` is `x` for well-formed text; a lone surrogate reads as U+FFFD.
 * All of ours treat the spelling of a special token inside ordinary text as text, so a corpus cannot end a document by quoting one.
 */
export interface Tokenizer {
  readonly name: string;
  /** Ids are integers from 0 to `vocabularySize` − 1. */
  readonly vocabularySize: number;
  /** Id that separates documents, if this vocabulary has one. */
  readonly endOfText: number | null;
  /** The ids of a text; throws EitpError "data" for a character outside the vocabulary. */
  encode(text: string): Int32Array;
  /** Special tokens appear by name. Throws EitpError "data" for an id outside the vocabulary. */
  decode(ids: Iterable<number>): string;
  /** As {@link Tokenizer.decode}, before UTF-8 is read: exact also where ids cut a character in half. */
  decodeBytes(ids: Iterable<number>): Uint8Array;
  /**
   * UTF-8 bytes that each id stands for, 0 for special tokens: what turns nats per token into bits per byte.
   * `null` where the bytes of an id depend on its neighbours; then measure the text itself.
   */
  byteLengths(): Int32Array | null;
  /** A fresh decoder for ids that come one at a time. */
  createDecoder(): StreamDecoder;
  /** A JSON value from which `tokenizerFrom` restores this tokenizer. */
  save(): TokenizerFile;
}

/** A saved tokenizer; checkpoints store it. */
export type TokenizerFile =
  | { readonly type: "bytes"; readonly version: 1; readonly endOfText: boolean }
  | { readonly type: "characters"; readonly version: 1; readonly alphabet: string }
  | { readonly type: "gpt2"; readonly version: 1 }
  | {
      readonly type: "bpe";
      readonly version: 1;
      /** Byte-level spelling of every id, special tokens by name. */
      readonly vocabulary: readonly string[];
      /** Pairs by rank, "left right", as in merges.txt. */
      readonly merges: readonly string[];
      readonly specialTokens: readonly string[];
    }
  | { readonly type: "tokenizer.json"; readonly version: 1; readonly tokenizer: JsonObject; readonly config: JsonObject };

/** A JSON object of somebody else's making. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** The name that GPT-2 gave the document separator; ours use it too. */
export const endOfTextName = "<|endoftext|>";

/** The error for an id outside a vocabulary, naming position, id and size. */
export function unknownId(tokenizer: string, position: number, id: number, size: number): EitpError {
  return new EitpError(
    "data",
    `Token id ${id} at position ${position} is outside the vocabulary of "${tokenizer}" (integers from 0 to ${size - 1}). Decode with the tokenizer that made the ids.`,
  );
}
