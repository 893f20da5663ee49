import { describe, expect, test } from "vitest";
import { constant, cosine, linear, warmupStableDecay } from "../src/optim/index.ts";
import type { Schedule } from "../src/spec/term.ts";
import known from "./fixtures/optim.json" with { type: "json" };

const values = (schedule: Schedule, steps: readonly number[]): number[] => steps.map((s) => schedule(s));
const close = (got: readonly number[], want: readonly number[]): void => {
  expect(got.length).toBe(want.length);
  want.forEach((w, i) => {
    expect(got[i]).toBeCloseTo(w, 12);
  });
};

describe("known answers", () => {
  test("constant", () => close(values(constant(0.3), [0, 1, 1e6]), [0.3, 0.3, 0.3]));
  test("linear", () => close(values(linear({ from: 1, to: 0, steps: 4 }), [0, 1, 2, 3, 4, 5, 99]), [1, 0.75, 0.5, 0.25, 0, 0, 0]));
  test("linear rises too", () => close(values(linear({ from: -1, to: 3, steps: 2 }), [0, 1, 2, 3]), [-1, 1, 3, 3]));
  test("cosine without warm-up is torch's CosineAnnealingLR", () => {
    close(
      known.annealing.map((_, step) => cosine({ peak: 0.5, steps: 10, floor: 0.1 })(step)),
      known.annealing,
    );
  });
  test("cosine with warm-up is nanoGPT's get_lr", () => {
    const schedule = cosine(known.nanogpt.options);
    close(
      known.nanogpt.rates.map((_, step) => schedule(step)),
      known.nanogpt.rates,
    );
  });
  test("a cosine that is all warm-up falls to the floor at its end", () => {
    close(values(cosine({ peak: 4, warmup: 3, steps: 3, floor: 1 }), [0, 1, 2, 3, 4]), [1, 2, 3, 1, 1]);
  });
  test.each([
    ["linear", [0.25, 0.5, 0.75, 1, 1, 1, 0.775, 0.55, 0.325, 0.1, 0.1]],
    ["cosine", [0.25, 0.5, 0.75, 1, 1, 1, 0.1 + 0.9 * (0.5 + Math.SQRT1_2 / 2), 0.55, 0.1 + 0.9 * (0.5 - Math.SQRT1_2 / 2), 0.1, 0.1]],
    ["sqrt", [0.25, 0.5, 0.75, 1, 1, 1, 0.55, 1 - 0.9 * Math.SQRT1_2, 1 - 0.9 * Math.sqrt(0.75), 0.1, 0.1]],
  ] as const)("warm-up–stable–decay, %s", (shape, want) => {
    const schedule = warmupStableDecay({ peak: 1, warmup: 3, stable: 2, decay: 4, floor: 0.1, shape });
    close(
      want.map((_, step) => schedule(step)),
      want,
    );
  });
  test("phases of length 0", () => {
    close(values(warmupStableDecay({ peak: 2, stable: 1, decay: 0, floor: 1 }), [0, 1, 2]), [2, 1, 1]);
  });
});

describe("refuses", () => {
  const wrong: readonly [message: string, make: () => Schedule][] = [
    ["constant: value is NaN", () => constant(Number.NaN)],
    ["linear: steps is 0; expected an integer ≥ 1", () => linear({ from: 1, to: 0, steps: 0 })],
    ["linear: from is Infinity", () => linear({ from: Number.POSITIVE_INFINITY, to: 0, steps: 1 })],
    ["cosine: warmup is 11; expected an integer from 0 to steps (10)", () => cosine({ peak: 1, warmup: 11, steps: 10 })],
    ["cosine: peak is -1", () => cosine({ peak: -1, steps: 10 })],
    ["cosine: floor is 2; expected from 0 to peak (1)", () => cosine({ peak: 1, steps: 10, floor: 2 })],
    ["cosine: steps is 2.5", () => cosine({ peak: 1, steps: 2.5 })],
    ["warmupStableDecay: decay is -1; expected an integer ≥ 0", () => warmupStableDecay({ peak: 1, stable: 1, decay: -1 })],
    [
      'warmupStableDecay: shape is cube; expected "linear", "cosine" or "sqrt"',
      () => warmupStableDecay({ peak: 1, stable: 1, decay: 1, shape: "cube" as "sqrt" }),
    ],
  ];
  test.each(wrong)("%s", (message, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "usage", message: expect.stringContaining(message) }));
  });
});
