import { checkConfig } from "@eitp/gpt";
import { expect, test } from "vitest";
import { loadConfiguration } from "../src/config/load.ts";
import { modelOptions } from "../src/config/rules.ts";
import { completed } from "../src/run/folder.ts";
import { optimizerOf, transformsOf } from "../src/run/objective.ts";

const peak = "optimizer.learningRate=0.01";

test.each<[kind: string, more: readonly string[], rates: readonly (readonly [step: number, rate: number])[]]>([
  [
    "constant",
    [],
    [
      [0, 0.01],
      [99, 0.01],
    ],
  ],
  [
    "constant",
    ["warmup=4"],
    [
      [0, 0.002],
      [4, 0.01],
      [99, 0.01],
    ],
  ],
  [
    "linear",
    ["floor=0"],
    [
      [0, 0.01],
      [5, 0.005],
      [10, 0],
      [99, 0],
    ],
  ],
  [
    "cosine",
    [],
    [
      [0, 0.01],
      [5, 0.0055],
      [10, 0.001],
      [99, 0.001],
    ],
  ],
  [
    "cosine",
    ["steps=20", "floor=0"],
    [
      [10, 0.005],
      [20, 0],
    ],
  ],
  [
    "warmupStableDecay",
    ["warmup=4", "decay=4"],
    [
      [0, 0.002],
      [4, 0.01],
      [6, 0.01],
      [10, 0.001],
    ],
  ],
])("%s %s", async (kind, more, rates) => {
  const settings = [`kind=${kind}`, ...more].map((setting) => `optimizer.schedule.${setting}`);
  const { config } = await loadConfiguration({ set: [peak, "training.steps=10", ...settings] });
  const { learningRate } = optimizerOf(config);
  for (const [step, rate] of rates) expect(learningRate?.(step)).toBeCloseTo(rate, 12);
});

test("a completed configuration keeps its schedule when it is given more steps", async () => {
  const { config } = await loadConfiguration({ set: [peak, "training.steps=10"] });
  const saved = completed(config, checkConfig(modelOptions(config.model, 256)));
  const longer = { ...saved, training: { ...saved.training, steps: 1000 } };
  expect(optimizerOf(longer).learningRate?.(10)).toBeCloseTo(0.001, 12);
});

test("clipping is left out at 0", async () => {
  expect(transformsOf((await loadConfiguration({})).config)).toHaveLength(1);
  expect(transformsOf((await loadConfiguration({ set: ["training.gradientClip=0"] })).config)).toHaveLength(0);
});
