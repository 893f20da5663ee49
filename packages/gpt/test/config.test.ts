import { EitpError } from "@eitp/engine";
import { describe, expect, test } from "vitest";
import { checkConfig, type GptOptions, gpt, type PresetName, presets, summary } from "../src/index.ts";

const small: GptOptions = { vocabulary: 7, context: 5, width: 12, layers: 1, heads: 3 };

describe("checkConfig", () => {
  test("fills in GPT-2's defaults", () => {
    expect(checkConfig(small)).toEqual({
      ...small,
      dropout: 0,
      positions: "learned",
      tokenShift: false,
      logN: false,
      epsilon: 1e-5,
      initStd: 0.02,
    });
  });

  test.each<[Partial<GptOptions>, RegExp]>([
    [{ heads: 5 }, /width 12 is not divisible by heads 5; .* try heads 4/],
    [{ width: 9, positions: "rotary" }, /width\/heads must be even; it is 9\/3 = 3/],
    [{ vocabulary: 0 }, /vocabulary must be a whole number of at least 1, got 0/],
    [{ context: 2.5 }, /context must be a whole number of at least 1, got 2\.5/],
    [{ width: -12 }, /width .* got -12/],
    [{ layers: Number.NaN }, /layers .* got NaN/],
    [{ heads: Number.POSITIVE_INFINITY }, /heads .* got Infinity/],
    [{ headBudgetBytes: 0 }, /headBudgetBytes .* got 0/],
    [{ dropout: 1 }, /dropout must be at least 0 and below 1, got 1/],
    [{ dropout: -0.1 }, /dropout .* got -0\.1/],
    [{ dropout: Number.NaN }, /dropout .* got NaN/],
    [{ epsilon: 0 }, /epsilon must be a positive number, got 0/],
    [{ initStd: -1 }, /initStd must be a positive number, got -1/],
    [{ logN: true, context: 1 }, /context must be at least 2, got 1/],
    [JSON.parse('{ "positions": "sinusoidal" }'), /positions must be one of "learned", "rotary", "alibi", "none", got "sinusoidal"/],
    [JSON.parse('{ "width": "12" }'), /width must be a whole number/],
    [JSON.parse('{ "tokenShift": "yes" }'), /tokenShift must be true or false, got "yes"/],
  ])("refuses %j", (mistake, message) => {
    const attempt = (): unknown => gpt({ ...small, ...mistake });
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(EitpError);
    expect(attempt).toThrow(expect.objectContaining({ code: "usage" }));
  });
});

describe("presets", () => {
  // V·D + T·D + L·(12·D² + 13·D) + 2·D
  test.each<[PresetName, number]>([
    ["nano", 120_576],
    ["micro", 834_304],
    ["mini", 10_844_160],
    ["gpt2", 124_439_808],
  ])("%s has %d parameters", (name, parameters) => {
    expect(summary(gpt(presets[name]).structure).parameters).toBe(parameters);
  });
});
