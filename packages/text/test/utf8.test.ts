import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeText } from "../src/node/decode-text.ts";
import { badSequence } from "../src/node/utf8.ts";

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function decode(
  bytes: Uint8Array,
  size: number,
  replaceInvalid: boolean,
): Promise<{ text: string; pieces: string[]; replaced: number }> {
  let replaced = 0;
  const pieces: string[] = [];
  const options = {
    replaceInvalid,
    onReplaced: (_: string, count: number) => {
      replaced += count;
    },
  };
  for await (const piece of decodeText(chunked(bytes, size), "f", options)) pieces.push(piece);
  return { text: pieces.join(""), pieces, replaced };
}
/** Bytes around every border of table 3-7, without NUL and control characters. */
const bytes = fc
  .array(
    fc.constantFrom(
      0x41,
      0x7e,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xec,
      0xed,
      0xee,
      0xef,
      0xf0,
      0xf1,
      0xf3,
      0xf4,
      0xf5,
      0xff,
    ),
    {
      minLength: 1,
      maxLength: 24,
    },
  )
  .map((list) => Uint8Array.from(list));

describe("UTF-8", () => {
  test("agrees with Node on what is well-formed", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(badSequence(input) === undefined).toBe(isUtf8(input));
      }),
      { numRuns: 3000 },
    );
  });
  test("replaces exactly what the WHATWG decoder replaces, however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 7 }), async (input, size) => {
        fc.pre(!(input[0] === 0xff && input[1] === 0xfe) && !(input[0] === 0xfe && input[1] === 0xff));
        const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(input);
        const { text, replaced } = await decode(input, size, true);
        expect(text).toBe(expected);
        expect(replaced).toBe(expected.split("\ufffd").length - 1);
      }),
      { numRuns: 2000 },
    );
  });
  test("no piece splits a character, and a byte order mark goes", async () => {
    const { text, pieces, replaced } = await decode(Buffer.from("\ufeffaé日🐋\ufeffz"), 1, false);
    expect([text, replaced]).toEqual(["aé日🐋\ufeffz", 0]);
    expect(pieces).toEqual(["a", "é", "日", "🐋", "\ufeff", "z"]);
  });
  test.each([
    ["Latin-1", Buffer.from("caf\xe9 noir", "latin1"), "byte offset 3 holds e9"],
    ["an encoded surrogate", Buffer.from([0x41, 0xed, 0xa0, 0x80]), "byte offset 1 holds ed"],
    ["overlong", Buffer.from([0x41, 0x42, 0xc0, 0xaf]), "byte offset 2 holds c0"],
    ["cut off at the end", Buffer.from("ab🐋").subarray(0, 5), "byte offset 2 holds f0 9f 90"],
    ["NUL", Buffer.from("ab\0c"), "byte offset 2 holds a NUL byte"],
    ["UTF-16", Buffer.from("\ufeffabc", "utf16le"), "UTF-16 byte order mark"],
    ["control characters", Buffer.from("\x01\x02abcdefgh"), "20 % of its first 10 bytes are control characters"],
  ])("refuses %s with its place, in chunks of any size", async (_, input, message) => {
    await expect(decode(input, 1000, false)).rejects.toThrow(message);
    if (!message.includes("16") && !message.includes("%")) await expect(decode(input, 1, false)).rejects.toThrow(message);
  });
});
