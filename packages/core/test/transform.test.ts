import { useBackend } from "@eitp/engine";
import { memory, mul, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { chain, clipByGlobalNorm, globalNorm } from "../src/optim/index.ts";
import type { GradientTransform } from "../src/spec/optimizer.ts";
import known from "./fixtures/optim.json" with { type: "json" };

const shapes: readonly (readonly number[])[] = Object.values(known.shapes);
const first: readonly (readonly number[])[] = Object.values(known.gradients[0] ?? {});
const scaled = (factor: number): Tensor[] =>
  first.map((g, i) =>
    tensor(
      g.map((x) => x * factor),
      [...(shapes[i] ?? [])],
    ),
  );
const flat = (ts: readonly Tensor[]): number[] => ts.flatMap((t) => [...t.dataSync()]);

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  describe("clipByGlobalNorm", () => {
    test.each(known.clips)("as torch.nn.utils.clip_grad_norm_: gradients × $factor, max $max", ({ factor, max, norm, gradients }) => {
      const input = scaled(factor);
      expect(Math.abs((globalNorm(input).dataSync()[0] ?? 0) - norm) / norm).toBeLessThanOrEqual(1e-6);
      const got = flat(clipByGlobalNorm(max).apply(input, null, []).gradients);
      gradients.flat().forEach((want, i) => {
        expect(Math.abs((got[i] ?? Number.NaN) - want)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(want)));
      });
    });
    test("below the limit no bit changes", () => {
      const input = scaled(1e-3);
      expect(flat(clipByGlobalNorm(1).apply(input, null, []).gradients)).toEqual(flat(input));
    });
    test("one NaN makes every gradient NaN", () => {
      const out = flat(clipByGlobalNorm(1).apply([tensor([Number.NaN, 1]), tensor([2])], null, []).gradients);
      expect(out).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    });
    test("an infinity does not come out finite and non-zero", () => {
      const out = flat(clipByGlobalNorm(1).apply([tensor([Number.POSITIVE_INFINITY]), tensor([2])], null, []).gradients);
      expect(out).toEqual([Number.NaN, 0]);
    });
    test("leaves nothing but the new gradients", () => {
      const input = scaled(10);
      const before = memory().numTensors;
      const { gradients } = clipByGlobalNorm(1).apply(input, null, []);
      expect(memory().numTensors - before).toBe(gradients.length);
    });
    test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses max = %s", (max) => {
      expect(() => clipByGlobalNorm(max)).toThrow(`clipByGlobalNorm: max is ${max}; expected a finite number > 0.`);
    });
  });

  describe("globalNorm", () => {
    test("3-4-12-13 over ranks 0, 1 and 2", () => {
      expect(globalNorm([tensor([[3], [0]]), tensor([4]), tensor(12)]).dataSync()[0]).toBe(13);
    });
    test("of nothing is 0", () => expect(globalNorm([]).dataSync()[0]).toBe(0));
  });

  describe("chain", () => {
    const counting = (factor: number): GradientTransform<{ readonly calls: number }> => ({
      name: `×${factor}`,
      init: () => ({ calls: 0 }),
      apply: (gradients, { calls }) => ({ gradients: gradients.map((g) => mul(g, factor)), state: { calls: calls + 1 } }),
    });
    const counted = (x: unknown): number => (x as { readonly calls: number }).calls;

    test("applies in order and threads every state", () => {
      tidy(() => {
        const transform = chain(counting(10), clipByGlobalNorm(5), counting(2));
        const start = transform.init([]);
        const once = transform.apply([tensor([3, 4])], start, []);
        const twice = transform.apply([tensor([0.3, 0.4])], once.state, []);
        expect(flat(once.gradients)[0]).toBeCloseTo(6, 5);
        expect(flat(twice.gradients)[0]).toBeCloseTo(6, 5);
        expect([counted(start[0]), counted(once.state[0]), counted(twice.state[2])]).toEqual([0, 1, 2]);
        expect(twice.state[1]).toBeNull();
      });
    });
    test("of nothing changes nothing", () => {
      const g = [tensor([1])];
      expect(chain().apply(g, chain().init([]), []).gradients).toEqual(g);
    });
  });
});
