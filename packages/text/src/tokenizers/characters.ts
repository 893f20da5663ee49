import { EitpError } from "@eitp/engine/error";
import { tokenBytes } from "./token-bytes.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { utf8, wellFormed } from "./utf8.ts";

/**
 * One id per character (Unicode code point) that occurs in `text`, in code point order, as nanoGPT's character models have it.
 * @param text - The corpus, or just its alphabet: repetition and order do not matter.
 * @returns A tokenizer whose `encode` throws EitpError "data" at a character outside the alphabet.
 * @throws EitpError "data" if `text` is empty.
 * @example
 * ```ts
 * characters("hello").encode("hole"); // Int32Array [1, 3, 2, 0]
 * ```
 */
export function characters(text: string): Tokenizer {
  const points = [...distinctPoints(wellFormed(text))].sort((a, b) => a - b);
  if (points.length === 0)
    throw new EitpError("data", "characters(text) got an empty text; expected at least one character to build the alphabet from.");
  const idOf = new Map(points.map((point, id) => [point, id]));
  const alphabet = points.map((point) => String.fromCodePoint(point));
  const tokens = alphabet.map(utf8);
  return Object.freeze({
    name: "characters",
    vocabularySize: tokens.length,
    endOfText: null,
    encode: (input: string) => encode(wellFormed(input), idOf),
    ...tokenBytes("characters", tokens, new Set()),
    save: () => ({ type: "characters" as const, version: 1 as const, alphabet: alphabet.join("") }),
  });
}

/** A loop instead of `new Set(text)`: a corpus is megabytes, its alphabet a hundred characters. */
function distinctPoints(text: string): Set<number> {
  const points = new Set<number>();
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at) as number;
    points.add(point);
    at += point > 0xffff ? 2 : 1;
  }
  return points;
}

function encode(text: string, idOf: ReadonlyMap<number, number>): Int32Array {
  const ids = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at) as number;
    const id = idOf.get(point);
    if (id === undefined) throw unknownCharacter(point, count, idOf.size);
    ids[count++] = id;
    at += point > 0xffff ? 2 : 1;
  }
  return ids.slice(0, count);
}

function unknownCharacter(point: number, position: number, size: number): EitpError {
  const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  return new EitpError(
    "data",
    `Character ${JSON.stringify(String.fromCodePoint(point))} (${code}) at position ${position} is not among the ${size} characters of this vocabulary. Build it from the whole corpus, or use bytes(), which knows every text.`,
  );
}
