import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { EitpError } from "@eitp/engine/error";
import { describe, expect, test } from "vitest";
import type { TokenizerFile, TrainBpeProgress } from "../src/index.ts";
import { trainBpe } from "../src/index.ts";
import fixture from "./fixtures/bpe.json" with { type: "json" };
import shakespeare from "./fixtures/bpe-tinyshakespeare.json" with { type: "json" };

type BpeFile = Extract<TokenizerFile, { type: "bpe" }>;
const texts: Readonly<Record<string, string>> = fixture.texts;
const textOf = (name: string): string => texts[name] as string;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

async function refusal(work: Promise<unknown>): Promise<EitpError> {
  const error = await work.then(
    () => new Error("was not refused"),
    (reason: unknown) => reason,
  );
  if (!EitpError.is(error)) throw error;
  return error;
}

describe("trainBpe learns what Rust tokenizers learns", () => {
  test.each(fixture.cases.map((entry) => [`${entry.text}, ${entry.vocabularySize}`, entry] as const))("%s", async (_, entry) => {
    const { vocabularySize, minFrequency, specialTokens } = entry;
    const tokenizer = await trainBpe([textOf(entry.text)], { vocabularySize, minFrequency, specialTokens });
    const file = tokenizer.save() as BpeFile;
    expect(file.merges).toEqual(entry.merges);
    expect(file.vocabulary.slice(0, specialTokens.length)).toEqual(specialTokens);
    expect(file.vocabulary.slice(256 + specialTokens.length)).toEqual(entry.added);
    for (const [name, ids] of Object.entries(entry.ids)) {
      // Python counts code points.
      const probe = [...textOf(name)].slice(0, 600).join("");
      expect([...tokenizer.encode(probe)], name).toEqual(ids);
    }
  });

  const path = process.env["EITP_DATA"];
  test.skipIf(path === undefined || !existsSync(path))("tinyshakespeare to 4096 (set EITP_DATA to that file), in under 10 s", async () => {
    const text = readFileSync(path as string, "utf8");
    expect(sha256(text), "EITP_DATA must be tinyshakespeare.txt").toBe(shakespeare.text);
    const start = performance.now();
    const file = (await trainBpe(text, { vocabularySize: shakespeare.vocabularySize })).save() as BpeFile;
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(sha256(file.merges.join("\n"))).toBe(shakespeare.merges);
    expect(sha256(file.vocabulary.join("\n"))).toBe(shakespeare.vocabulary);
  });
});

describe("trainBpe", () => {
  test("a string is one text, not its characters; lists and async lists of texts count alike", async () => {
    const text = textOf("english");
    const lines = text.split(/(?<=\n)/);
    async function* later(): AsyncGenerator<string> {
      yield* lines;
    }
    const whole = await trainBpe(text, { vocabularySize: 400 });
    expect(whole.vocabularySize).toBe(400);
    const [listed, awaited] = [await trainBpe(lines, { vocabularySize: 400 }), await trainBpe(later(), { vocabularySize: 400 })];
    expect(awaited.save()).toEqual(listed.save());
  });

  test("the end of text comes first and is never learnt from the text", async () => {
    const tokenizer = await trainBpe("<|endoftext|> ".repeat(50), { vocabularySize: 300 });
    expect(tokenizer.endOfText).toBe(0);
    expect([...tokenizer.encode("<|endoftext|>")]).not.toContain(0);
    expect(tokenizer.decode([0])).toBe("<|endoftext|>");
  });

  test("a text that runs out of pairs gives a smaller vocabulary", async () => {
    expect((await trainBpe("abab", { vocabularySize: 1000, specialTokens: [] })).vocabularySize).toBe(258);
    expect((await trainBpe("abab", { vocabularySize: 1000, specialTokens: [], minFrequency: 3 })).vocabularySize).toBe(256);
  });

  test("a corpus of one endless word is learnt and encoded", async () => {
    const tokenizer = await trainBpe("a".repeat(100_000), { vocabularySize: 300 });
    expect(tokenizer.encode("a".repeat(100_000)).length).toBeLessThan(20);
  });

  test.each([
    [{ vocabularySize: 256 }, "from 257 (256 bytes and 1 special tokens)"],
    [{ vocabularySize: 255, specialTokens: [] }, "from 256"],
    [{ vocabularySize: 300.5 }, "got 300.5"],
    [{ vocabularySize: 300, minFrequency: Number.NaN }, "minFrequency"],
    [{ vocabularySize: 300, specialTokens: ["Ġt"] }, "too short"],
    [{ vocabularySize: 300, specialTokens: ["<pad>", "<pad>"] }, "listed twice"],
    [{ vocabularySize: 300, specialTokens: ["the"] }, "also learnt from the text"],
  ])("%j is a usage error", async (options, message) => {
    const error = await refusal(trainBpe("the the the the the", options));
    expect(error.code).toBe("usage");
    expect(error.message).toContain(message);
  });

  test.each([[[]], [""], [["", ""]]])("no text: %j", async (none) => {
    expect((await refusal(trainBpe(none, { vocabularySize: 300 }))).code).toBe("data");
  });

  test("an aborted signal stops it, also in the middle", async () => {
    const options = { vocabularySize: 300, signal: AbortSignal.abort() };
    expect((await refusal(trainBpe("text", options))).code).toBe("interrupted");
    const later = new AbortController();
    function* endless(): Generator<string> {
      for (let n = 0; ; n++) yield `word${n} `;
    }
    const training = trainBpe(endless(), { vocabularySize: 300, signal: later.signal });
    setTimeout(() => later.abort(), 120);
    expect((await refusal(training)).code).toBe("interrupted");
  });

  test("progress ends with the whole vocabulary", async () => {
    const seen: TrainBpeProgress[] = [];
    await trainBpe(textOf("english"), { vocabularySize: 500, onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ phase: "merge", vocabulary: 500, total: 500 });
  });
});
