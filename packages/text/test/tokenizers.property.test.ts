import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Tokenizer } from "../src/index.ts";
import { bytes, characters, fromTokenizerJson, gpt2Bpe, toHuggingFace, tokenizerFrom, trainBpe } from "../src/index.ts";
import fixture from "./fixtures/bpe.json" with { type: "json" };

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  // Well-formed: every code point but surrogates.
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom(" ", "\n", "\ufeff", "\u0085", "'s", "the", " the", "é", "😀", "<|endoftext|>", "aaaa"))
    .map((parts) => parts.join("")),
);
const runs = { numRuns: 300, seed: 42 };

const makers: Readonly<Record<string, (input: string) => Tokenizer>> = {};
const fixed = ["bytes", "bytes with end of text", "gpt2", "bpe", "bpe restored", "tokenizer.json"];

beforeAll(async () => {
  const bpe = await trainBpe(Object.values(fixture.texts), { vocabularySize: 700 });
  const gpt2 = await gpt2Bpe();
  const restored = await tokenizerFrom(JSON.parse(JSON.stringify(bpe.save())));
  const files = await toHuggingFace(bpe);
  const hub = fromTokenizerJson(files["tokenizer.json"] as string, files["tokenizer_config.json"] as string);
  const values = [bytes(), bytes({ endOfText: true }), gpt2, bpe, restored, hub];
  for (const [at, name] of fixed.entries()) Object.assign(makers, { [name]: () => values[at] });
  Object.assign(makers, { characters: (input: string) => characters(`${input} `) });
});

describe.each([...fixed, "characters"])("%s", (name) => {
  const make = (input: string): Tokenizer => (makers[name] as (input: string) => Tokenizer)(input);

  test("decode inverts encode", () => {
    fc.assert(
      fc.property(text, (input) => {
        const tokenizer = make(input);
        expect(tokenizer.decode(tokenizer.encode(input))).toBe(input);
      }),
      runs,
    );
  });

  test("ids are in the vocabulary and their byte lengths add up to the text", () => {
    fc.assert(
      fc.property(text, (input) => {
        const tokenizer = make(input);
        const ids = tokenizer.encode(input);
        expect(ids.every((id) => id >= 0 && id < tokenizer.vocabularySize)).toBe(true);
        if (ids.includes(tokenizer.endOfText ?? -1)) return;
        const lengths = tokenizer.byteLengths();
        expect(ids.reduce((sum, id) => sum + (lengths?.[id] ?? Number.NaN), 0)).toBe(Buffer.byteLength(input));
      }),
      runs,
    );
  });

  test("any ids streamed read as decoded at once", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (input, noise) => {
        const tokenizer = make(input);
        const ids = [...tokenizer.encode(input), ...noise.map((n) => n % tokenizer.vocabularySize)];
        const decoder = tokenizer.createDecoder();
        const streamed = ids.map((id) => decoder.push(id)).join("") + decoder.end();
        expect(streamed).toBe(tokenizer.decode(ids));
        expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(tokenizer.decodeBytes(ids))).toBe(streamed);
      }),
      runs,
    );
  });

  test("a lone surrogate reads as U+FFFD", () => {
    const tokenizer = make("a\ud83d b");
    expect(tokenizer.decode(tokenizer.encode("a\ud83d b"))).toBe("a\ufffd b");
  });
});
