import { readFileSync } from "node:fs";
import { useBackend } from "@eitp/engine";
import { dispose, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type GptModel, gpt } from "../src/index.ts";
import {
  distance,
  fixtureBatch,
  fixtureParams,
  float32,
  gradientBars,
  type Int16,
  int16,
  largestDifference,
  norm,
  projections,
  type Shape,
} from "./fixture.ts";
import { evaluating, lossAndGradients, meanNll } from "./gradients.ts";

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), "utf8"));

interface Odd {
  readonly shape: Shape;
  readonly loss: number;
  readonly logits: string;
  readonly gradients: { readonly [name: string]: Int16 };
}
interface Nano {
  readonly shape: Shape;
  readonly loss: number;
  readonly every: number;
  readonly logits: string;
  readonly gradients: { readonly [name: string]: { readonly norm: number; readonly projections: readonly number[] } };
}
function modelOf({ vocabulary, context, width, layers, heads }: Shape): GptModel {
  return gpt({ vocabulary, context, width, layers, heads });
}

function logitsOf(model: GptModel, shape: Shape): Float32Array {
  return tidy(() => {
    const { logits } = model.apply(fixtureParams(model), fixtureBatch(shape), new Set(["logits"]), evaluating);
    if (logits === undefined) throw new Error("no logits");
    return logits.dataSync<"float32">().slice();
  });
}

function gradientsOf(
  model: GptModel,
  shape: Shape,
): { readonly loss: number; readonly gradients: { readonly [name: string]: Float32Array } } {
  const params = fixtureParams(model);
  const batch = fixtureBatch(shape);
  const { loss, gradients } = lossAndGradients(params, () => meanNll(model, params, batch));
  const values = Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, g.dataSync<"float32">().slice()]));
  dispose([params, gradients, { ...batch }]);
  return { loss, gradients: values };
}

describe.each(["cpu", "wasm"])("GPT2LMHeadModel of transformers, same weights, on %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test("odd sizes: logits, loss and every gradient in full", () => {
    const rest = read("transformers-odd-rest") as Odd;
    const blocks = ["h0", "h1"].map((part) => read(`transformers-odd-${part}`) as Pick<Odd, "gradients">);
    const expected = Object.fromEntries(
      [rest, ...blocks].flatMap((part) => Object.entries(part.gradients).map(([name, g]) => [name, int16(g)] as const)),
    );
    const model = modelOf(rest.shape);
    expect(largestDifference(logitsOf(model, rest.shape), float32(rest.logits))).toBeLessThanOrEqual(2e-4);

    const { loss, gradients } = gradientsOf(model, rest.shape);
    expect(Math.abs(loss - rest.loss)).toBeLessThanOrEqual(1e-5);
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(expected).sort());
    const bars = gradientBars(Object.fromEntries(Object.entries(expected).map(([name, g]) => [name, norm(g)])));
    for (const [name, g] of Object.entries(expected)) {
      expect(distance(gradients[name] ?? [], g), name).toBeLessThanOrEqual(bars[name] ?? 0);
    }
  });

  test("the nano shape: logits, loss, and every gradient by 32 projections", () => {
    const nano = read("transformers-nano") as Nano;
    const model = modelOf(nano.shape);
    const sample = logitsOf(model, nano.shape).filter((_, i) => i % nano.every === 0);
    expect(largestDifference(sample, float32(nano.logits))).toBeLessThanOrEqual(2e-4);

    const { loss, gradients } = gradientsOf(model, nano.shape);
    expect(Math.abs(loss - nano.loss)).toBeLessThanOrEqual(1e-5);
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(nano.gradients).sort());
    const bars = gradientBars(Object.fromEntries(Object.entries(nano.gradients).map(([name, g]) => [name, g.norm])));
    for (const [name, expected] of Object.entries(nano.gradients)) {
      const ours = projections(name, gradients[name] ?? [], expected.projections.length);
      const estimate = distance(ours, expected.projections) / Math.sqrt(expected.projections.length);
      expect(estimate, name).toBeLessThanOrEqual(bars[name] ?? 0);
    }
  });
});
