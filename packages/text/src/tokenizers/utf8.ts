import type { StreamDecoder } from "./tokenizer.ts";

const encoder = new TextEncoder();
// Without ignoreBOM a leading U+FEFF would vanish and decode(encode(x)) would not be x.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** UTF-8 of a text; lone surrogates become U+FFFD. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Writes UTF-8 into `target`, which must hold three bytes per UTF-16 unit; returns the bytes written. */
export function utf8Into(text: string, target: Uint8Array): number {
  return encoder.encodeInto(text, target).written;
}

/** Reads UTF-8; malformed sequences become U+FFFD, a byte order mark stays. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Replaces lone surrogates by U+FFFD, as UTF-8 encoding would. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** A stream decoder over a tokenizer whose ids stand for fixed bytes. */
export function streamBytes(bytesOf: (id: number, position: number) => Uint8Array): StreamDecoder {
  let stream = new TextDecoder("utf-8", { ignoreBOM: true });
  let position = 0;
  return {
    push: (id) => stream.decode(bytesOf(id, position++), { stream: true }),
    end: () => {
      const rest = stream.decode();
      stream = new TextDecoder("utf-8", { ignoreBOM: true });
      position = 0;
      return rest;
    },
  };
}
