import { encode } from "gpt-tokenizer/encoding/gpt2";
import { beforeAll, describe, expect, test } from "vitest";
import type { Tokenizer } from "../src/index.ts";
import { gpt2Bpe } from "../src/index.ts";
import { gpt2Merges } from "../src/tokenizers/gpt2-bpe.ts";
import fixture from "./fixtures/bpe.json" with { type: "json" };

let gpt2: Tokenizer;
beforeAll(async () => {
  gpt2 = await gpt2Bpe();
});

describe("gpt2Bpe", () => {
  test("known ids and sizes", () => {
    expect([...gpt2.encode("Hello world")]).toEqual([15496, 995]);
    expect(gpt2.vocabularySize).toBe(50257);
    expect(gpt2.endOfText).toBe(50256);
    expect(gpt2.decode([15496, 995, 50256])).toBe("Hello world<|endoftext|>");
    expect(gpt2.byteLengths()?.[995]).toBe(6);
    expect(gpt2.byteLengths()?.[50256]).toBe(0);
  });

  test("the name of the special token is text", () => {
    expect([...gpt2.encode("<|endoftext|>")]).toEqual([27, 91, 437, 1659, 5239, 91, 29]);
  });

  test("the merges begin as OpenAI's merges.txt does", async () => {
    const { tokens, merges } = await gpt2Merges();
    const text = (id: number | undefined): string => new TextDecoder().decode(tokens[id as number]);
    expect(merges.length).toBe(3 * 50_000);
    expect([0, 1, 2, 3].map((rank) => [text(merges[3 * rank]), text(merges[3 * rank + 1])])).toEqual([
      [" ", "t"],
      [" ", "a"],
      ["h", "e"],
      ["i", "n"],
    ]);
  });

  test.each(Object.entries(fixture.texts))("equals gpt-tokenizer on the %s text", (_, text) => {
    // That package takes U+FEFF for white space and U+0085 for a symbol; GPT-2's own expression does the opposite.
    const plain = text.replace(/[\ufeff\u0085]/g, "");
    expect([...gpt2.encode(plain)]).toEqual(encode(plain, { disallowedSpecial: new Set() }));
    expect(gpt2.decode(gpt2.encode(text))).toBe(text);
  });

  test("a lone surrogate becomes U+FFFD", () => {
    expect(gpt2.decode(gpt2.encode("a\udc00b"))).toBe("a\ufffdb");
  });

  test("time grows with length, not with its square, on one endless word", () => {
    const best = (length: number): number => {
      const word = "a".repeat(length);
      return Math.min(
        ...[0, 1, 2].map(() => {
          const start = performance.now();
          gpt2.encode(word);
          return performance.now() - start;
        }),
      );
    };
    best(10_000);
    // Eight times the length: 8 to 11 times the time if n log n, 64 if quadratic.
    expect(best(100_000) / best(12_500)).toBeLessThan(32);
    expect(gpt2.decode(gpt2.encode("a".repeat(300_000)))).toHaveLength(300_000);
  });
});
