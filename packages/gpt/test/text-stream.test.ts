import { textStream } from "@eitp/gpt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** Tokens are bytes. */
const decode = (bytes: readonly number[]): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

/** What comes out after each byte, and at the end. */
function run(bytes: readonly number[], stops: readonly string[] = []): { pieces: string[]; text: string; stopped: boolean; read: number } {
  const stream = textStream(decode, stops);
  const pieces: string[] = [];
  for (const byte of bytes) {
    const { text, stopped } = stream.push(byte);
    pieces.push(text);
    if (stopped) return { pieces, text: pieces.join(""), stopped, read: pieces.length };
  }
  pieces.push(stream.flush());
  return { pieces, text: pieces.join(""), stopped: false, read: bytes.length };
}

describe("text of a stream of tokens", () => {
  test("holds back a character until it is complete", () => {
    expect(run(bytesOf("aé€😀b")).pieces).toEqual(["a", "", "é", "", "", "€", "", "", "", "😀", "b", ""]);
  });

  test("shows broken bytes once it is sure that they are", () => {
    expect(run([0xe2, 0x82, 0x41]).pieces).toEqual(["", "", "\ufffdA", ""]);
    expect(run([0xff, 0xff, 0xff]).pieces).toEqual(["", "\ufffd", "\ufffd", "\ufffd"]);
    expect(run([0x41, 0xf0, 0x9f]).pieces).toEqual(["A", "", "", "\ufffd"]);
  });

  test("ends before a stop string", () => {
    expect(run(bytesOf("one two END three"), ["END"])).toMatchObject({ text: "one two ", stopped: true, read: 11 });
  });

  test("holds back what may become a stop string, and lets it go when it does not", () => {
    expect(run(bytesOf("aENEND"), ["END"]).pieces).toEqual(["a", "", "", "EN", "", ""]);
    expect(run(bytesOf("xEN"), ["END"]).pieces).toEqual(["x", "", "", "EN"]);
  });

  test("takes the stop string that begins first when one token completes two", () => {
    const words = textStream((tokens) => tokens.map((t) => ["a bc d", " e"][t]).join(""), ["c", "b"]);
    expect(words.push(0)).toEqual({ text: "a ", stopped: true });
  });

  test("decodes a bounded number of tokens each time, in long texts too", () => {
    let most = 0;
    const counted = textStream((tokens) => {
      most = Math.max(most, tokens.length);
      return decode(tokens);
    }, []);
    const text = "Grüße, Jürgen! 😀 ".repeat(60);
    const shown = bytesOf(text).map((byte) => counted.push(byte).text);
    expect(shown.join("") + counted.flush()).toBe(text);
    expect(most).toBeLessThan(100);
  });

  test("a decoder that drops a leading space keeps it inside the text", () => {
    const words = ["▁the", "▁cat", "s"];
    const spaced = textStream(
      (tokens) =>
        tokens
          .map((t) => words[t % 3])
          .join("")
          .replaceAll("▁", " ")
          .replace(/^ /, ""),
      [],
    );
    const tokens = Array.from({ length: 300 }, (_, i) => i % 3);
    expect(tokens.map((t) => spaced.push(t).text).join("") + spaced.flush()).toBe(Array(100).fill("the cats").join(" "));
  });

  test("any bytes: the pieces are the whole text", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f)), { maxLength: 300 }), (bytes) => {
        expect(run(bytes).text).toBe(decode(bytes));
      }),
      { numRuns: 300 },
    );
  });

  test("any text and stop strings: cut where the first stop string is completed", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 120 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 2, maxLength: 6 }), { maxLength: 3 });
    fc.assert(
      fc.property(text, stops, (whole, strings) => {
        const ends = strings.map((s) => whole.indexOf(s) + s.length).filter((end, i) => end >= (strings[i]?.length ?? 0));
        const result = run(bytesOf(whole), strings);
        expect(result.stopped).toBe(ends.length > 0);
        const end = Math.min(whole.length, ...ends);
        const seen = whole.slice(0, end);
        const cut = Math.min(seen.length, ...strings.map((s) => seen.indexOf(s)).filter((at) => at >= 0));
        expect(result.text).toBe(whole.slice(0, cut));
      }),
      { numRuns: 500 },
    );
  });
});
