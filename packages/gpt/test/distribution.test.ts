import { counter, EitpError } from "@eitp/engine";
import { nextTokenDistribution } from "@eitp/gpt";
import { describe, expect, test } from "vitest";
import { argmax, draw } from "../src/generate/distribution.ts";
import cases from "./fixtures/warpers.json" with { type: "json" };

describe("the distribution of the next token", () => {
  test.each(cases)(
    "equals that of transformers: penalty $penalty, temperature $temperature, top-k $topK, top-p $topP",
    ({ penalty, temperature, topK, topP, logits, history, probabilities }) => {
      const ours = nextTokenDistribution(logits, history, {
        temperature,
        ...(topK !== null && { topK }),
        ...(topP !== null && { topP }),
        ...(penalty !== null && { repetitionPenalty: penalty }),
      });
      expect(Array.from(ours, (p) => p > 0)).toEqual(probabilities.map((p) => p > 0));
      expect(Math.max(...probabilities.map((p, i) => Math.abs(p - (ours[i] ?? NaN))))).toBeLessThan(1e-12);
    },
  );

  test("keeps ties at the edge together", () => {
    expect([...nextTokenDistribution([1, 2, 1, 1, 0], [], { topK: 2 })].map((p) => p > 0)).toEqual([true, true, true, true, false]);
    expect([...nextTokenDistribution([0, 0, 0, 0], [], { topP: 0.3 })]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  test("top-p keeps at least the likeliest token", () => {
    expect([...nextTokenDistribution([0, 3, 1], [], { topP: 1e-9 })]).toEqual([0, 1, 0]);
  });

  test("survives logits far apart", () => {
    expect([...nextTokenDistribution([1e30, -1e30, 0], [], { temperature: 1e-3 })]).toEqual([1, 0, 0]);
  });

  test("refuses a broken model", () => {
    expect(() => nextTokenDistribution([0, NaN], [1, 2, 3])).toThrow(/logit of token 1 is NaN after 3 tokens/);
    expect(() => nextTokenDistribution([Infinity, 0], [])).toThrow(EitpError);
  });
});

describe("choosing", () => {
  test("greedy takes the first of equal scores", () => {
    expect(argmax([0, 5, 5, 1])).toBe(1);
  });

  test("a draw never lands on an excluded token", () => {
    const p = Float64Array.of(0, 0.5, 0, 0.5 - 1e-12, 0);
    expect([0, 0.499, 0.5, 0.75, 1 - 2 ** -53].map((u) => draw(p, u))).toEqual([1, 1, 3, 3, 3]);
  });

  test("frequencies follow the probabilities (χ², 7 degrees of freedom, 0.1 %)", () => {
    const probabilities = nextTokenDistribution([2, 1, 0, -1, 1.5, 0.5, -0.5, 0.2, -9], [], { temperature: 0.8, topK: 8 });
    const rng = counter(11).fold("generate").fold(0);
    const draws = 20_000;
    const counts = new Float64Array(probabilities.length);
    for (let i = 0; i < draws; i++) {
      const token = draw(probabilities, rng.uniform(i));
      counts[token] = (counts[token] ?? 0) + 1;
    }
    expect(counts[8]).toBe(0);
    const chi2 = Array.from(
      counts.subarray(0, 8),
      (n, i) => (n - draws * (probabilities[i] ?? 0)) ** 2 / (draws * (probabilities[i] ?? 0)),
    );
    expect(chi2.reduce((a, b) => a + b)).toBeLessThan(24.32);
  });
});
