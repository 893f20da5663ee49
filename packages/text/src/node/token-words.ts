import { endianness } from "node:os";

/** How a token is stored: little endian, unsigned. */
export type TokenType = "uint16" | "uint32";

/** Two bytes where they hold every id of the vocabulary, else four. */
export function tokenTypeFor(vocabularySize: number): TokenType {
  return vocabularySize <= 2 ** 16 ? "uint16" : "uint32";
}
export function bytesPerToken(type: TokenType): number {
  return type === "uint16" ? 2 : 4;
}

const swapped = endianness() === "BE";

/** Ids as they stand in a file. */
export function toWords(ids: Int32Array, type: TokenType): Uint8Array {
  const words = type === "uint16" ? new Uint16Array(ids) : new Uint32Array(ids);
  return littleEndian(Buffer.from(words.buffer), type);
}

/** The inverse of {@link toWords}; `bytes` may start anywhere in its buffer. */
export function fromWords(bytes: Buffer, type: TokenType): Int32Array {
  const aligned = littleEndian(Buffer.from(new Uint8Array(bytes).buffer), type);
  const count = bytes.length / bytesPerToken(type);
  return new Int32Array(type === "uint16" ? new Uint16Array(aligned.buffer, 0, count) : new Uint32Array(aligned.buffer, 0, count));
}

function littleEndian(bytes: Buffer, type: TokenType): Buffer {
  if (!swapped) return bytes;
  return type === "uint16" ? bytes.swap16() : bytes.swap32();
}
