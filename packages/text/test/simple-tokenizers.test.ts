import { EitpError } from "@eitp/engine/error";
import { describe, expect, test } from "vitest";
import { bytes, characters } from "../src/index.ts";

const failure = (run: () => unknown): EitpError => {
  try {
    run();
  } catch (error) {
    if (EitpError.is(error)) return error as EitpError;
    throw error;
  }
  throw new Error("expected an EitpError");
};

describe("bytes", () => {
  test("ids are UTF-8 bytes", () => {
    expect([...bytes().encode("aé😀")]).toEqual([97, 195, 169, 240, 159, 152, 128]);
    expect(bytes().vocabularySize).toBe(256);
    expect(bytes().endOfText).toBeNull();
  });

  test("a lone surrogate becomes U+FFFD, a byte order mark stays", () => {
    expect(bytes().decode(bytes().encode("a\ud800b"))).toBe("a\ufffdb");
    expect(bytes().decode(bytes().encode("\ufeffa"))).toBe("\ufeffa");
  });

  test("the end of text is id 256, shown by name, never met in a text, and 0 bytes long", () => {
    const tokenizer = bytes({ endOfText: true });
    expect(tokenizer.vocabularySize).toBe(257);
    expect(tokenizer.endOfText).toBe(256);
    expect(tokenizer.decode([104, 105, 256])).toBe("hi<|endoftext|>");
    expect([...tokenizer.encode("<|endoftext|>")]).not.toContain(256);
    expect([...(tokenizer.byteLengths() ?? [])]).toEqual([...Array(256).fill(1), 0]);
  });

  test.each([256, -1, 1.5, Number.NaN])("id %d is refused with position, id and size", (id) => {
    const error = failure(() => bytes().decode([1, 2, id]));
    expect(error.code).toBe("data");
    expect(error.message).toContain(`Token id ${id} at position 2 is outside the vocabulary of "bytes" (integers from 0 to 255)`);
    expect(failure(() => bytes().createDecoder().push(id)).message).toContain("position 0");
  });

  test("streaming holds back half a character, and shows it as U+FFFD when it never comes", () => {
    const decoder = bytes().createDecoder();
    const [a, b, c, d] = [240, 159, 152, 128] as const;
    expect([a, b, c, d].map((id) => decoder.push(id))).toEqual(["", "", "", "😀"]);
    expect(decoder.end()).toBe("");
    expect(decoder.push(a)).toBe("");
    expect(decoder.end()).toBe("\ufffd");
    expect(decoder.push(104)).toBe("h");
  });
});

describe("characters", () => {
  test("one id per code point in code point order", () => {
    const tokenizer = characters("hello 😀");
    expect([...tokenizer.encode("😀ole h")]).toEqual([5, 4, 3, 1, 0, 2]);
    expect(tokenizer.decode([5, 4])).toBe("😀o");
    expect(tokenizer.vocabularySize).toBe(6);
    expect([...(tokenizer.byteLengths() ?? [])]).toEqual([1, 1, 1, 1, 1, 4]);
  });

  test("an unknown character is refused with name, code point and position", () => {
    const error = failure(() => characters("abc😀").encode("a😀bx"));
    expect(error.code).toBe("data");
    expect(error.message).toContain('"x" (U+0078) at position 3');
    expect(failure(() => characters("a").encode("\u{1f600}")).message).toContain("(U+1F600) at position 0");
  });

  test("an empty alphabet and a foreign id are refused", () => {
    expect(failure(() => characters("")).code).toBe("data");
    expect(failure(() => characters("ab").decode([0, 2])).message).toContain("Token id 2 at position 1");
  });
});
