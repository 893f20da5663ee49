import type { Dual, Forward } from "@eitp/core/spec";
import { counterRng, useBackend, withTape } from "@eitp/engine";
import { add, mul, square, sub, sum, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type GptOptions, gpt } from "../src/index.ts";
import { distance, fixtureBatch, fixtureParams, norm, unit } from "./fixture.ts";

const options: GptOptions = { vocabulary: 11, context: 5, width: 8, layers: 2, heads: 2 };
const shape = { ...options, sequences: 2, length: 5 };
const training: Forward = { training: true, rng: counterRng(3) };
const direction = (name: string, size: readonly number[]): Tensor =>
  tensor(
    Float32Array.from(
      unit(
        name,
        size.reduce((a, b) => a * b, 1),
      ),
    ),
    [...size],
  );

beforeAll(async () => {
  await useBackend("cpu");
});

const variants: readonly Partial<GptOptions>[] = [
  {},
  { dropout: 0.3 },
  { positions: "rotary", logN: true },
  { positions: "alibi", dropout: 0.3 },
  { positions: "none", tokenShift: true },
];

describe.each(variants)("dual blocks of %j", (change) => {
  const setUp = () => {
    const model = gpt({ ...options, ...change });
    const params = fixtureParams(model);
    const { hidden, blocks } = model.apply(params, fixtureBatch(shape), new Set(["hidden", "blocks"]), training);
    if (hidden === undefined || blocks === undefined) throw new Error("not supplied");
    return { model, params, hidden, blocks };
  };
  const at = (value: Tensor, tangent: Tensor): Dual => ({ value, tangent });

  test("hidden[l + 1] is block l of hidden[l], dropout masks included", () => {
    const { hidden, blocks } = setUp();
    for (const [l, block] of blocks.entries()) {
      const x = hidden[l];
      if (x === undefined) throw new Error("no state");
      const { value } = block(at(x, direction("v", x.shape)));
      expect(distance(value.dataSync(), hidden[l + 1]?.dataSync() ?? [])).toBeLessThan(1e-6 * norm(value.dataSync()));
    }
  });

  test("the tangent is the central difference", () => {
    const { hidden, blocks } = setUp();
    const h = 1e-2;
    for (const [l, block] of blocks.entries()) {
      const x = hidden[l];
      if (x === undefined) throw new Error("no state");
      const v = direction(`v${l}`, x.shape);
      const moved = (step: number): Tensor => block(at(add(x, mul(v, step)), v)).value;
      const difference = mul(sub(moved(h), moved(-h)), 1 / (2 * h)).dataSync();
      expect(distance(block(at(x, v)).tangent.dataSync(), difference)).toBeLessThan(2e-3 * norm(difference));
    }
  });
});

test("a loss of a tangent has the right gradient at every kind of parameter", () => {
  const model = gpt({ ...options, layers: 1, positions: "rotary" });
  const params = fixtureParams(model);
  const batch = fixtureBatch(shape);
  const growth = (p: typeof params): Tensor => {
    const { hidden, blocks } = model.apply(p, batch, new Set(["hidden", "blocks"]), training);
    const [x, block] = [hidden?.[0], blocks?.[0]];
    if (x === undefined || block === undefined) throw new Error("not supplied");
    return sum(square(block({ value: x, tangent: direction("v", x.shape) }).tangent));
  };
  for (const [name, value] of Object.entries(params)) {
    if (/ln_f|wte|c_proj\.bias/.test(name)) continue;
    const v = direction(`${name} direction`, value.shape);
    const slope = withTape((tape) => {
      const [gradient] = tape.gradient(growth(params), [value]);
      return gradient === null || gradient === undefined ? 0 : (sum(mul(gradient, v)).dataSync()[0] ?? Number.NaN);
    });
    const h = 2e-3;
    const moved = (step: number): number => tidy(() => growth({ ...params, [name]: add(value, mul(v, step)) }).dataSync()[0] ?? Number.NaN);
    const difference = (moved(h) - moved(-h)) / (2 * h);
    const scale = moved(0);
    expect(Math.abs(slope - difference), `${name}: ${slope} and ${difference}`).toBeLessThan(3e-3 * Math.abs(difference) + 1e-3 * scale);
  }
});
