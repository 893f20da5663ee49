import { adamW, crossEntropy, findCheckpoint, memoryPlatform, type RunResult, resume, type TrainOptions, train } from "@eitp/core";
import type { Platform, StepRecord } from "@eitp/core/spec";
import { chainDataset, twoLayer } from "@eitp/core/testing";
import { useBackend } from "@eitp/engine";
import { dispose } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { activation } from "../src/index.ts";

beforeAll(() => useBackend("wasm"));

const model = twoLayer();
const options = (platform: Platform, weight: number): TrainOptions => ({
  model,
  terms: [
    { term: crossEntropy(), weight: 1 },
    { term: activation(), weight },
  ],
  dataset: chainDataset({ vocabulary: model.shape.vocabulary, shape: { sequences: 4, length: 8 } }),
  optimizer: adamW({ learningRate: 1e-2 }),
  steps: 20,
  seed: 1,
  platform,
  checkpoint: { every: 10, keep: 9 },
});
async function trained(run: AsyncIterable<StepRecord> & { finish(): Promise<RunResult> }) {
  const activations: number[] = [];
  for await (const { kind, values } of run) if (kind === "step") activations.push(values["activation.loss"] ?? Number.NaN);
  const { params } = await run.finish();
  const weights = await Promise.all(Object.values(params).map((p) => p.data()));
  dispose(params);
  return { activations, weights };
}

test("the term trains: logged every step, and lower for its weight", async () => {
  const weighted = await trained(train(options(memoryPlatform(), 1)));
  const watched = await trained(train(options(memoryPlatform(), 0)));
  expect(weighted.activations).toHaveLength(20);
  expect(weighted.activations.at(-1)).toBeLessThan(0.5 * (watched.activations.at(-1) ?? 0));
});

test("a run resumed from its checkpoint at step 10 ends in the same bits", async () => {
  const platform = memoryPlatform();
  const straight = await trained(train(options(platform, 0.1)));
  const resumed = await trained(resume(options(platform, 0.1), await findCheckpoint(platform.store, 10)));
  expect(resumed.weights).toEqual(straight.weights);
  expect(resumed.activations).toEqual(straight.activations.slice(10));
});
