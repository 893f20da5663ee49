import type { Forward, Params } from "@eitp/core/spec";
import { counterRng, primal, useBackend } from "@eitp/engine";
import { add, ones, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type GptOptions, gpt } from "../src/index.ts";
import { blockMasks, embedMask } from "../src/model/dropout.ts";
import { fixtureBatch, fixtureParams, largestDifference } from "./fixture.ts";

const options: GptOptions = { vocabulary: 11, context: 6, width: 8, layers: 2, heads: 2 };
const shape = { ...options, sequences: 2, length: 6 };

beforeAll(async () => {
  await useBackend("cpu");
});

function nll(dropout: number, training: boolean, seed: number): readonly number[] {
  const model = gpt({ ...options, dropout });
  const forward: Forward = { training, rng: counterRng(seed) };
  return [...(model.apply(fixtureParams(model), fixtureBatch(shape), new Set(["nll"]), forward).nll?.dataSync() ?? [])];
}

describe("dropout", () => {
  test("0 makes training and evaluation the same bits", () => {
    expect(nll(0, true, 1)).toEqual(nll(0, false, 1));
  });

  test("is off in evaluation, whatever its rate", () => {
    expect(nll(0.5, false, 1)).toEqual(nll(0, false, 1));
  });

  test("is a function of the generator: same seed same bits, another seed other bits", () => {
    expect(nll(0.5, true, 1)).toEqual(nll(0.5, true, 1));
    expect(nll(0.5, true, 1)).not.toEqual(nll(0.5, true, 2));
    expect(nll(0.5, true, 1)).not.toEqual(nll(0, true, 1));
  });

  test("draws every mask anew, whatever its layer and place", () => {
    const { config } = gpt({ ...options, dropout: 0.5 });
    const blocks = [0, 1].flatMap((layer) => {
      const { attention, attentionOut, mlpOut } = blockMasks(config, counterRng(4), layer, [2, 6]);
      return [attention, attentionOut, mlpOut];
    });
    const beginnings = [...blocks, embedMask(config, counterRng(4), [2, 6])].map((mask) => mask.dataSync().slice(0, 96).join());
    expect(new Set(beginnings).size).toBe(7);
  });

  test("scales the survivors of the embedding sum by 1/keep and zeroes the rest", () => {
    const model = gpt({ ...options, dropout: 0.25 });
    const params = fixtureParams(model);
    const state = (training: boolean): Float32Array | readonly [] =>
      model.apply(params, fixtureBatch(shape), new Set(["hidden"]), { training, rng: counterRng(4) }).hidden?.[0].dataSync<"float32">() ??
      [];
    const clean = state(false);
    const ratios = [...state(true)].map((x, i) => x / (clean[i] ?? Number.NaN));
    const dropped = ratios.filter((r) => r === 0).length;
    expect(ratios.every((r) => r === 0 || Math.abs(r - 4 / 3) < 1e-5)).toBe(true);
    expect(dropped / ratios.length).toBeGreaterThan(0.15);
    expect(dropped / ratios.length).toBeLessThan(0.35);
  });
});

describe("each mask acts where GPT-2 drops", () => {
  const masked = (
    zeroed: readonly ("attention" | "attentionOut" | "mlpOut")[],
  ): { out: readonly number[]; x: readonly number[]; params: Params } => {
    const model = gpt({ ...options, positions: "none" });
    const params = fixtureParams(model);
    const x = model.embed(params, fixtureBatch(shape).tokens);
    const mask = (name: "attention" | "attentionOut" | "mlpOut", size: number[]) => (zeroed.includes(name) ? zeros(size) : ones(size));
    const masks = {
      attention: mask("attention", [2, 2, 6, 6]),
      attentionOut: mask("attentionOut", [2, 6, 8]),
      mlpOut: mask("mlpOut", [2, 6, 8]),
    };
    return { out: [...model.block(primal, params, 0, x, { masks }).dataSync()], x: [...x.dataSync()], params };
  };

  test("both residual branches", () => {
    const { out, x } = masked(["attentionOut", "mlpOut"]);
    expect(out).toEqual(x);
    expect(masked(["attentionOut"]).out).not.toEqual(x);
    expect(masked(["mlpOut"]).out).not.toEqual(x);
  });

  test("the attention probabilities: without them only the projection's bias is added", () => {
    const { out, x, params } = masked(["attention", "mlpOut"]);
    const bias = params["h.0.attn.c_proj.bias"] ?? zeros([8]);
    const moved = add(zeros([12, 8]), bias).dataSync();
    expect(
      largestDifference(
        out.map((y, i) => y - (x[i] ?? Number.NaN)),
        moved,
      ),
    ).toBeLessThan(1e-6);
  });
});
