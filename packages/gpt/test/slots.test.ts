import type { Need, Params } from "@eitp/core/spec";
import { type Ops, useBackend } from "@eitp/engine";
import { mul, ones, type Tensor, tensor1d, tensor2d, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type GptModel, type GptOptions, gpt, type Slots, stepsOf } from "../src/index.ts";
import { fixtureBatch, fixtureParams, largestDifference } from "./fixture.ts";
import { evaluating, lossAndGradients, meanNll } from "./gradients.ts";

const options: GptOptions = { vocabulary: 11, context: 6, width: 8, layers: 2, heads: 2 };
const shape = { ...options, sequences: 2, length: 6 };
let model: GptModel;
let params: Params;

beforeAll(async () => {
  await useBackend("cpu");
  model = gpt(options);
  params = fixtureParams(model);
});

function logits(from: Params, slots?: Slots): number[] {
  return [...(model.apply(from, fixtureBatch(shape), new Set(["logits"]), evaluating, slots).logits?.dataSync() ?? [])];
}
const parameter = (name: string): Tensor => params[name] ?? zeros([0]);

describe("gates", () => {
  test("of one change no bit", () => {
    const gates = Object.fromEntries(
      stepsOf(model.structure).flatMap((step) =>
        step.kind === "attention" ? [[step.slot, ones([step.heads])]] : step.kind === "activation" ? [[step.slot, ones([step.width])]] : [],
      ),
    );
    expect(Object.keys(gates)).toHaveLength(4);
    expect(logits(params, { gates })).toEqual(logits(params));
  });

  test("a closed head equals a projection without that head's rows", () => {
    const keep = tensor2d([...Array(4).fill([0]), ...Array(4).fill([1])], [8, 1]);
    const pruned = { ...params, "h.1.attn.c_proj.weight": mul(parameter("h.1.attn.c_proj.weight"), keep) };
    expect(largestDifference(logits(params, { gates: { "h.1.attn.heads": tensor1d([0, 1]) } }), logits(pruned))).toBeLessThan(1e-6);
    expect(largestDifference(logits(pruned), logits(params))).toBeGreaterThan(1e-3);
  });

  test("halved units equal a projection with halved rows", () => {
    const factors = Float32Array.from({ length: 32 }, (_, i) => (i % 3) / 2);
    const scaled = { ...params, "h.0.mlp.c_proj.weight": mul(parameter("h.0.mlp.c_proj.weight"), tensor2d(factors, [32, 1])) };
    expect(largestDifference(logits(params, { gates: { "h.0.mlp.units": tensor1d(factors) } }), logits(scaled))).toBeLessThan(1e-6);
  });

  test("learn: the loss has a gradient at each", () => {
    const gates = { "h.0.attn.heads": ones([2]), "h.1.mlp.units": ones([32]) };
    const { gradients } = lossAndGradients(gates, () => meanNll(model, params, fixtureBatch(shape), evaluating, { gates }));
    for (const gradient of Object.values(gradients)) expect([...gradient.dataSync()].every((g) => g !== 0)).toBe(true);
  });

  test("are refused where no slot has that name or size", () => {
    expect(() => logits(params, { gates: { "h.2.attn.heads": ones([2]) } })).toThrow(
      /no gate slot "h.2.attn.heads"; this model has h.0.attn.heads/,
    );
    expect(() => logits(params, { gates: { "h.0.attn.heads": ones([8]) } })).toThrow(/has shape \[8\]; expected \[2\]/);
  });
});

describe("fake quantisers", () => {
  test("`weight` sees every parameter once, the tied embedding too, and what it returns is used", () => {
    const seen: string[] = [];
    const slots: Slots = {
      weight(name, weight) {
        seen.push(name);
        return name === "wte.weight" ? mul(weight, 2) : weight;
      },
    };
    model.apply(params, fixtureBatch(shape), new Set<Need>(["logits", "nll", "blocks"]), evaluating, slots);
    expect([...seen].sort()).toEqual(Object.keys(params).sort());
    expect(logits(params, slots)).toEqual(logits({ ...params, "wte.weight": mul(parameter("wte.weight"), 2) }));
    seen.length = 0;
    expect(model.apply(params, fixtureBatch(shape), new Set<Need>(["params"]), evaluating, slots).params).toBe(params);
    expect(seen).toEqual([]);
  });

  test("`activation` sees the input of every linear layer and of the head, and of tangents", () => {
    const seen: string[] = [];
    const slots: Slots = {
      activation<T>(ops: Ops<T>, name: string, x: T): T {
        seen.push(`${name} ${ops.value(x).shape.join("×")}`);
        return name === "head" ? ops.scale(x, 3) : x;
      },
    };
    const tripled = logits(params, slots);
    expect(seen).toEqual([
      ...[0, 1].flatMap((i) => [
        `h.${i}.attn.c_attn 2×6×8`,
        `h.${i}.attn.c_proj 2×6×8`,
        `h.${i}.mlp.c_fc 2×6×8`,
        `h.${i}.mlp.c_proj 2×6×32`,
      ]),
      "head 2×6×8",
    ]);
    expect(
      largestDifference(
        tripled,
        logits(params).map((x) => 3 * x),
      ),
    ).toBeLessThan(1e-5);

    const { blocks } = model.apply(params, fixtureBatch(shape), new Set(["blocks"]), evaluating, slots);
    seen.length = 0;
    blocks?.[1]?.({ value: ones([2, 6, 8]), tangent: ones([2, 6, 8]) });
    expect(seen).toHaveLength(4);
  });
});
