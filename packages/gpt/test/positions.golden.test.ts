import { readFileSync } from "node:fs";
import { useBackend } from "@eitp/engine";
import { tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type GptOptions, gpt } from "../src/index.ts";
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
  type Shape,
} from "./fixture.ts";
import { evaluating, lossAndGradients, meanNll } from "./gradients.ts";

interface Case {
  readonly options: Pick<GptOptions, "positions" | "tokenShift" | "logN">;
  readonly loss: number;
  readonly logits: string;
  readonly gradients: { readonly [name: string]: Int16 };
}
const { shape, cases } = JSON.parse(readFileSync(new URL("./fixtures/positions.json", import.meta.url), "utf8")) as {
  readonly shape: Shape;
  readonly cases: readonly Case[];
};

describe.each(["cpu", "wasm"])("positions beyond the training length, on %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test.each(cases)("$options equals the PyTorch reference: logits, loss, every gradient", ({ options, ...expected }) => {
    const { sequences: _, length, ...sizes } = shape;
    expect(length).toBeGreaterThan(sizes.context);
    const model = gpt({ ...sizes, ...options });
    const params = fixtureParams(model);
    const batch = fixtureBatch(shape);
    const logits = tidy(() => model.apply(params, batch, new Set(["logits"]), evaluating).logits?.dataSync() ?? []);
    expect(largestDifference(logits, float32(expected.logits))).toBeLessThanOrEqual(2e-5);

    const { loss, gradients } = lossAndGradients(params, () => meanNll(model, params, batch));
    expect(Math.abs(loss - expected.loss)).toBeLessThanOrEqual(1e-5);
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(expected.gradients).sort());
    const wanted = Object.entries(expected.gradients).map(([name, g]) => [name, int16(g)] as const);
    const bars = gradientBars(Object.fromEntries(wanted.map(([name, g]) => [name, norm(g)])));
    for (const [name, g] of wanted) expect(distance(gradients[name]?.dataSync() ?? [], g), name).toBeLessThanOrEqual(bars[name] ?? 0);
  });
});
