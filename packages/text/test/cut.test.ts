import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blocks, nextCut } from "../src/data/cut.ts";
import { gpt2Bpe, textBlocks } from "../src/index.ts";

async function cut(pieces: readonly string[], size: number): Promise<string[]> {
  const found: string[] = [];
  for await (const block of blocks(pieces, size)) found.push(block);
  return found;
}
/** Texts in which every hard place of a pre-tokenizer is common. */
const hard = fc.array(
  fc.constantFrom("a", "don't", " ", "  ", "\n", "\n\n", "\r\n", "\t", "12345", ".", "é", "🐋", "word", "\u00a0", "\u3000"),
  { minLength: 1, maxLength: 80 },
);

describe("blocks", () => {
  test("known answer: line ends first, then words", async () => {
    expect(await cut(["ab cd\nef gh ij\n\nkl"], 8)).toEqual(["ab cd\n", "ef gh", " ij\n\nkl"]);
  });
  test("blocks join to the text, are no longer than asked, and split no surrogate pair", async () => {
    await fc.assert(
      fc.asyncProperty(hard, fc.integer({ min: 4, max: 40 }), async (parts, size) => {
        const found = await cut(parts, size);
        expect(found.join("")).toBe(parts.join(""));
        for (const block of found) {
          expect(block.length).toBeGreaterThan(0);
          expect(block.length).toBeLessThanOrEqual(size + 1);
          expect(/\p{Surrogate}/u.test(block)).toBe(false);
        }
      }),
    );
  });
  test("how the text arrives does not matter", async () => {
    await fc.assert(
      fc.asyncProperty(hard, async (parts) => {
        expect(await cut(parts, 12)).toEqual(await cut([parts.join("")], 12));
      }),
    );
  });
  test("GPT-2's ids block by block are those of the whole text", async () => {
    const gpt2 = await gpt2Bpe();
    await fc.assert(
      fc.asyncProperty(hard, async (parts) => {
        const text = parts.join(" x\ny ");
        const found = (await cut([text], 24)).flatMap((block) => [...gpt2.encode(block)]);
        expect(found).toEqual([...gpt2.encode(text)]);
      }),
      { numRuns: 300 },
    );
  });
  test("nextCut goes on to the next line, then word, then character", () => {
    expect(nextCut("abc def\nghi", 2)).toBe(8);
    expect(nextCut("abc def ghi", 4)).toBe(7);
    expect(nextCut("ab🐋cd", 3)).toBe(4);
  });
  test("textBlocks keeps documents apart", async () => {
    const found: string[] = [];
    for await (const block of textBlocks([
      { id: "a", text: "x y ".repeat(20_000) },
      { id: "b", text: "z" },
    ]))
      found.push(block);
    expect(found.length).toBe(3);
    expect(found.slice(0, 2).join("")).toBe("x y ".repeat(20_000));
    expect(found[2]).toBe("z");
  });
});
