import type { Step } from "@eitp/core/spec";
import { describe, expect, test } from "vitest";
import { type GptOptions, gpt, macsPerToken, parametersOf, presets, stepsOf, summary } from "../src/index.ts";

const options: GptOptions = { vocabulary: 11, context: 7, width: 8, layers: 2, heads: 2 };

describe("structure", () => {
  test.each<Partial<GptOptions>>([{}, { positions: "rotary" }, { positions: "none", tokenShift: true, logN: true }])(
    "covers every parameter exactly once: %j",
    (change) => {
      const model = gpt({ ...options, ...change });
      const names = parametersOf(model.structure).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(Object.fromEntries(parametersOf(model.structure).map(({ name, shape }) => [name, shape]))).toEqual(model.shape.params);
      expect(names.includes("wpe.weight")).toBe(model.config.positions === "learned");
      expect(names.includes("shift.weight")).toBe(model.config.tokenShift);
    },
  );

  test("nests two residual branches per block, then the final norm and the tied head", () => {
    const outline = (steps: readonly Step[]): unknown[] =>
      steps.map((step) => (step.kind === "residual" ? { [step.name]: outline(step.steps) } : "name" in step ? step.name : step.kind));
    const block = (i: number): unknown[] => [
      { [`h.${i}.attn`]: [`h.${i}.ln_1`, `h.${i}.attn.c_attn`, `h.${i}.attn`, `h.${i}.attn.c_proj`] },
      { [`h.${i}.mlp`]: [`h.${i}.ln_2`, `h.${i}.mlp.c_fc`, `h.${i}.mlp.act`, `h.${i}.mlp.c_proj`] },
    ];
    expect(outline(gpt(options).structure.steps)).toEqual(["embed", ...block(0), ...block(1), "ln_f", "head"]);
  });

  test("names a slot per head group and per layer of hidden units", () => {
    const slots = stepsOf(gpt(options).structure).flatMap((step) => ("slot" in step ? [step.slot] : []));
    expect(slots).toEqual(["h.0.attn.heads", "h.0.mlp.units", "h.1.attn.heads", "h.1.mlp.units"]);
  });

  test("limits the context only where positions are learned", () => {
    expect(gpt(options).structure.context).toBe(7);
    expect(gpt({ ...options, positions: "alibi" }).structure.context).toBeNull();
  });
});

describe("summary", () => {
  test("GPT-2 Small: 12·L·D² + V·D multiply–accumulates per token, and 2·L·D per visible key", () => {
    const counted = summary(gpt(presets.gpt2).structure);
    expect(counted.linearMacs).toBe(12 * 12 * 768 ** 2 + 50257 * 768);
    expect(counted.attentionMacsPerKey).toBe(2 * 12 * 768);
    expect(macsPerToken(counted, 1)).toBe(counted.linearMacs + 2 * 12 * 768);
    expect(macsPerToken(counted, 1023)).toBe(counted.linearMacs + 2 * 12 * 768 * 512);
  });

  test("its rows add up", () => {
    const { rows, parameters, linearMacs, attentionMacsPerKey } = summary(gpt({ ...options, tokenShift: true }).structure);
    expect(rows.reduce((total, row) => total + row.parameters, 0)).toBe(parameters);
    expect(rows.reduce((total, row) => total + row.macs, 0)).toBe(linearMacs + attentionMacsPerKey);
    expect(rows[0]).toEqual({ name: "embed", kind: "embed", parameters: 11 * 8 + 7 * 8 + 8, macs: 0 });
  });
});
