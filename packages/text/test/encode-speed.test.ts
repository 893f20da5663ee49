import { expect, test } from "vitest";
import { compareEncoders, sampleText } from "../bench/encode-ratio.ts";

// 2026-11: measured 1.7 to 3; the bar is the promise, 0.8.
test("gpt2Bpe() encodes at least 0.8 times as fast as bare gpt-tokenizer", async () => {
  const { medianRatio, minimumRatio } = await compareEncoders(sampleText(300_000), 7);
  expect(Math.max(medianRatio, minimumRatio)).toBeGreaterThanOrEqual(0.8);
});
