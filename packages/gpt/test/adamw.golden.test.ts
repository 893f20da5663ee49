import { readFileSync } from "node:fs";
import { adamW } from "@eitp/core";
import type { Params } from "@eitp/core/spec";
import { useBackend } from "@eitp/engine";
import { dispose } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { gpt } from "../src/index.ts";
import { fixtureBatch, fixtureParams, type Int16, int16, largestDifference, type Shape } from "./fixture.ts";
import { lossAndGradients, meanNll } from "./gradients.ts";

interface Expected {
  readonly shape: Shape;
  readonly settings: {
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
  };
  readonly losses: readonly number[];
  readonly change: { readonly [name: string]: Int16 };
}
const { shape, settings, losses, change } = JSON.parse(
  readFileSync(new URL("./fixtures/transformers-adamw.json", import.meta.url), "utf8"),
) as Expected;

describe.each(["cpu", "wasm"])("twenty steps of torch.optim.AdamW on transformers' GPT-2, on %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test("every weight moves as far, key biases aside", () => {
    const { sequences: _, length: __, ...sizes } = shape;
    const model = gpt(sizes);
    const optimizer = adamW(settings);
    const start = fixtureParams(model);
    let params: Params = start;
    let states = Object.fromEntries(Object.entries(start).map(([name, p]) => [name, optimizer.init(p, name)]));
    for (const [step, expected] of losses.entries()) {
      const batch = fixtureBatch(shape, `.${step}`);
      const before = params;
      const { loss, gradients } = lossAndGradients(before, () => meanNll(model, before, batch));
      expect(Math.abs(loss - expected), `loss of step ${step}`).toBeLessThanOrEqual(1e-5);
      const next = Object.entries(before).map(([name, p]) => {
        const [g, state] = [gradients[name], states[name]];
        if (g === undefined || state === undefined) throw new Error(`lost ${name}`);
        return [name, optimizer.step(p, g, state, { count: step + 1, step, name })] as const;
      });
      dispose([gradients, states, { ...batch }]);
      if (before !== start) dispose(before);
      params = Object.fromEntries(next.map(([name, { parameter }]) => [name, parameter]));
      states = Object.fromEntries(next.map(([name, { state }]) => [name, state]));
    }
    expect(Object.keys(params).sort()).toEqual(Object.keys(change).sort());
    for (const [name, expected] of Object.entries(change)) {
      const first = start[name]?.dataSync() ?? [];
      const ours = Float64Array.from(params[name]?.dataSync() ?? [], (x, i) => x - (first[i] ?? Number.NaN));
      const compared = (x: Float64Array): number[] => [...x].filter((_, i) => !isKeyBias(name, i));
      expect(largestDifference(compared(ours), compared(int16(expected))), name).toBeLessThanOrEqual(1e-5);
    }
    dispose([start, params, states]);
  });
});

/** The true gradient of a key bias is 0 (softmax ignores what all keys share); Adam makes full steps of the rounding noise there. */
function isKeyBias(name: string, index: number): boolean {
  return name.endsWith("c_attn.bias") && index >= shape.width && index < 2 * shape.width;
}
