import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Tokenizer } from "../src/index.ts";
import { bytes, characters, fromTokenizerJson, gpt2Bpe, toHuggingFace, trainBpe } from "../src/index.ts";
import fixture from "./fixtures/bpe.json" with { type: "json" };

const probe = Object.values(fixture.texts).join("\n");
const makers: readonly (readonly [string, () => Tokenizer | Promise<Tokenizer>])[] = [
  ["bytes", () => bytes()],
  ["bytes with end of text", () => bytes({ endOfText: true })],
  ["bpe", () => trainBpe(probe, { vocabularySize: 600, specialTokens: ["<pad>", "<|endoftext|>"] })],
  ["gpt2", gpt2Bpe],
];

const python = process.env["EITP_PYTHON"];
// What a user does: point transformers at the folder.
const script = `
import json, sys
from transformers import AutoTokenizer
from tokenizers import Tokenizer
text = sys.stdin.buffer.read().decode()
loaded = AutoTokenizer.from_pretrained(sys.argv[1])
ids = loaded(text)["input_ids"]
plain = Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")
json.dump(dict(ids=ids, plain=plain.encode(text).ids, same=loaded.decode(ids) == text, eos=loaded.eos_token_id, size=len(loaded)), sys.stdout)
`;

describe.each(makers)("toHuggingFace, %s", (_, make) => {
  test("the files read back give the same ids", async () => {
    const tokenizer = await make();
    const files = await toHuggingFace(tokenizer);
    const back = fromTokenizerJson(files["tokenizer.json"] as string, files["tokenizer_config.json"] as string);
    expect([...back.encode(probe)]).toEqual([...tokenizer.encode(probe)]);
    expect([back.vocabularySize, back.endOfText]).toEqual([tokenizer.vocabularySize, tokenizer.endOfText]);
    expect(await toHuggingFace(back)).toMatchObject({ "tokenizer.json": files["tokenizer.json"] });
  });

  test("vocab.json and merges.txt agree with tokenizer.json", async () => {
    const files = await toHuggingFace(await make());
    const { model } = JSON.parse(files["tokenizer.json"] as string);
    expect(JSON.parse(files["vocab.json"] as string)).toEqual(model.vocab);
    const lines = (files["merges.txt"] as string).trimEnd().split("\n");
    expect(lines[0]).toBe("#version: 0.2");
    expect(lines.slice(1)).toEqual(model.merges.map((pair: string[]) => pair.join(" ")));
  });

  test.skipIf(python === undefined)(
    "Python's transformers gives the same ids (set EITP_PYTHON)",
    async () => {
      const tokenizer = await make();
      const folder = mkdtempSync(join(tmpdir(), "eitp-tokenizer-"));
      try {
        for (const [name, content] of Object.entries(await toHuggingFace(tokenizer))) writeFileSync(join(folder, name), content);
        const answer = JSON.parse(
          execFileSync(python as string, ["-c", script, folder], { input: probe, encoding: "utf8", maxBuffer: 2 ** 26 }),
        );
        const ids = [...tokenizer.encode(probe)];
        expect(answer).toEqual({ ids, plain: ids, same: true, eos: tokenizer.endOfText, size: tokenizer.vocabularySize });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    120_000,
  );
});

test("a character tokenizer is refused", async () => {
  await expect(toHuggingFace(characters("abc"))).rejects.toMatchObject({ code: "usage" });
});
