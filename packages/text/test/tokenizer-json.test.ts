import { EitpError } from "@eitp/engine/error";
import { describe, expect, test } from "vitest";
import { fromTokenizerJson } from "../src/index.ts";
import fixture from "./fixtures/tokenizer-json.json" with { type: "json" };

const endOfText: Readonly<Record<string, number | null>> = { "byte-level": 1, "word-piece": null, "sentence-piece": 2 };

describe.each(fixture.cases)("fromTokenizerJson, $name", ({ name, tokenizer: json, config, size, probes }) => {
  const tokenizer = fromTokenizerJson(JSON.stringify(json), config);

  test("size and end of text", () => {
    expect(tokenizer.vocabularySize).toBe(size);
    expect(tokenizer.endOfText).toBe(endOfText[name]);
  });

  test.each(probes)("$text", ({ text, ids, decoded }) => {
    expect([...tokenizer.encode(text)]).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
    expect(new TextDecoder().decode(tokenizer.decodeBytes(ids))).toBe(decoded);
    const decoder = tokenizer.createDecoder();
    expect(ids.map((id) => decoder.push(id)).join("") + decoder.end()).toBe(decoded);
  });

  test("ids outside are refused, and byte lengths exist only where ids stand for bytes", () => {
    expect(() => tokenizer.decode([0, size])).toThrow(`Token id ${size} at position 1`);
    expect(() => tokenizer.createDecoder().push(-1)).toThrow("Token id -1 at position 0");
    expect(tokenizer.byteLengths()?.length ?? null).toBe(name === "byte-level" ? size : null);
  });
});

test.each([
  ["{", "tokenizer.json is not JSON"],
  ["[]", "expected a JSON object"],
  ["{}", "not a tokenizer that @huggingface/tokenizers can open"],
  [JSON.stringify({ ...fixture.cases[0]?.tokenizer, decoder: { type: "Magic" } }), "Magic"],
])("%j is refused", (json, message) => {
  expect(() => fromTokenizerJson(json)).toThrow(message);
  expect(() => fromTokenizerJson(json)).toThrow(EitpError);
});
