import { EitpError } from "@eitp/engine/error";
import { expect, test } from "vitest";
import type { Tokenizer } from "../src/index.ts";
import { bytes, characters, fromTokenizerJson, gpt2Bpe, tokenizerFrom, trainBpe } from "../src/index.ts";
import fixture from "./fixtures/tokenizer-json.json" with { type: "json" };

const text = "the water flows, don't it? 12 é";
const makers: readonly (readonly [string, () => Tokenizer | Promise<Tokenizer>])[] = [
  ["bytes", () => bytes()],
  ["bytes with end of text", () => bytes({ endOfText: true })],
  ["characters", () => characters(`${text}😀`)],
  ["gpt2", gpt2Bpe],
  ["bpe", () => trainBpe(text.repeat(3), { vocabularySize: 280, specialTokens: ["<pad>", "<|endoftext|>"] })],
  ...fixture.cases.map(({ name, tokenizer, config }) => [name, () => fromTokenizerJson(tokenizer, config)] as const),
];

test.each(makers)("%s comes back from JSON the same", async (_, make) => {
  const tokenizer = await make();
  const restored = await tokenizerFrom(JSON.parse(JSON.stringify(tokenizer.save())));
  expect(restored.save()).toEqual(tokenizer.save());
  expect([...restored.encode(text)]).toEqual([...tokenizer.encode(text)]);
  expect([restored.name, restored.vocabularySize, restored.endOfText]).toEqual([
    tokenizer.name,
    tokenizer.vocabularySize,
    tokenizer.endOfText,
  ]);
});

const bpe = async (): Promise<Record<string, unknown>> => ({ ...(await trainBpe("abab abab", { vocabularySize: 260 })).save() });

test.each([
  [null, "must be a JSON object"],
  [{ type: "bytes", version: 2, endOfText: true }, "has version 2"],
  [{ type: "words", version: 1 }, 'type "words"'],
  [{ type: "bytes", version: 1 }, '"endOfText" of the saved "bytes" tokenizer must be a boolean, got undefined'],
  [{ type: "characters", version: 1, alphabet: "" }, "empty text"],
  [{ type: "tokenizer.json", version: 1, tokenizer: [], config: {} }, '"tokenizer"'],
])("%j is refused", async (file, message) => {
  const error: unknown = await tokenizerFrom(file).catch((reason: unknown) => reason);
  expect(EitpError.is(error) && error.code).toBe("data");
  expect(String(error)).toContain(message);
});

test.each([
  [{ merges: ["a b c"] }, "two spellings"],
  [{ merges: ["a ü"] }, 'Token "aü" is missing'],
  [{ specialTokens: ["<pad>"] }, 'Token "<pad>" is missing'],
  [{ specialTokens: ["ab"] }, 'makes the special token "ab"'],
  [{ vocabulary: ["a", "b"], merges: [], specialTokens: [] }, "no token for byte 0"],
  [{ vocabulary: ["a", "a"], merges: [], specialTokens: [] }, "twice"],
  [{ vocabulary: ["日"], merges: [], specialTokens: [] }, "not a byte-level spelling"],
  [{ vocabulary: "ab" }, "an array of strings"],
])("a damaged bpe file, %j, is refused", async (damage, message) => {
  const error: unknown = await tokenizerFrom({ ...(await bpe()), ...damage }).catch((reason: unknown) => reason);
  expect(EitpError.is(error) && error.code).toBe("data");
  expect(String(error)).toContain(message);
});
