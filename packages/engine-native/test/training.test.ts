import { adamW, createTrainer, crossEntropy } from "@eitp/core";
import type { AnyDataset } from "@eitp/core/spec";
import { counterRng, useBackend } from "@eitp/engine";
import { gpt } from "@eitp/gpt";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { missing } from "./native.ts";

const [B, T, V] = [3, 17, 37];
const model = gpt({ layers: 2, width: 24, heads: 3, context: 19, vocabulary: V });

/** Other tokens at every step. */
const dataset: AnyDataset = {
  fingerprint: "test",
  shape: { sequences: B, length: T },
  start: () => 0,
  next: async (cursor) => {
    const rng = counterRng(3).fold(cursor as number);
    const draw = (from: number): Int32Array => Int32Array.from({ length: B * T }, (_, i) => rng.bits(from + i) % V);
    const targets = draw(B * T);
    targets[5] = -1;
    return { batch: { tokens: draw(0), targets, shape: { sequences: B, length: T } }, cursor: (cursor as number) + 1 };
  },
};
const trainerOn = async (backend: string): ReturnType<typeof createTrainer> => {
  await useBackend(backend);
  const optimizer = adamW({ learningRate: 1e-2, weightDecay: 0.1 });
  return createTrainer({ model, dataset, terms: [{ term: crossEntropy(), weight: 1 }], optimizer, seed: 1, ledgerEvery: 0 });
};

async function losses(backend: string, steps: number): Promise<number[]> {
  const trainer = await trainerOn(backend);
  const found: number[] = [];
  for (let i = 0; i < steps; i++) {
    const { record } = await trainer.step();
    found.push((await record).values["loss"] as number);
  }
  trainer.dispose();
  return found;
}

describe.skipIf(missing !== null)(`training on native${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  test("ten steps lose what they lose on cpu, and again the same bits", async () => {
    const expected = await losses("cpu", 10);
    const found = await losses("native", 10);
    for (const [i, loss] of expected.entries()) expect(Math.abs((found[i] as number) - loss)).toBeLessThan(1e-5);
    expect(await losses("native", 10)).toEqual(found);
  });

  test("no tensor is left behind by a step", async () => {
    const trainer = await trainerOn("native");
    const step = async (): Promise<number> => {
      await (await trainer.step()).record;
      return tf.memory().numTensors;
    };
    await step();
    const before = await step();
    expect(await step()).toBe(before);
    trainer.dispose();
  });

  test("less than 1 % of a step is spent in kernels that are JavaScript", async () => {
    const trainer = await trainerOn("native");
    for (let i = 0; i < 3; i++) await (await trainer.step()).record;
    const time = new Map<string, number>();
    let all = 0;
    const stock = new Map(tf.getKernelsForBackend("cpu").map((k) => [k.kernelName, k.kernelFunc]));
    const native = [...tf.getKernelsForBackend("native")];
    for (const kernel of native) {
      tf.unregisterKernel(kernel.kernelName, "native");
      const kernelFunc: tf.KernelFunc = (call) => {
        const at = performance.now();
        const out = kernel.kernelFunc(call);
        time.set(kernel.kernelName, (time.get(kernel.kernelName) ?? 0) + performance.now() - at);
        return out;
      };
      tf.registerKernel({ ...kernel, kernelFunc });
    }
    for (let i = 0; i < 5; i++) {
      const at = performance.now();
      await (await trainer.step()).record;
      all += performance.now() - at;
    }
    for (const kernel of native) {
      tf.unregisterKernel(kernel.kernelName, "native");
      tf.registerKernel(kernel);
    }
    trainer.dispose();
    expect(time.has("EitLinear")).toBe(true);
    const free = new Set(["Identity", "Reshape", "ExpandDims"]);
    const fallbacks = native.filter(({ kernelName, kernelFunc }) => stock.get(kernelName) === kernelFunc && !free.has(kernelName));
    const spent = fallbacks.map(({ kernelName }) => [kernelName, time.get(kernelName) ?? 0] as const).filter(([, ms]) => ms > 0);
    const share = spent.reduce((sum, [, ms]) => sum + ms, 0) / all;
    process.stdout.write(
      `JavaScript kernels of a step: ${spent.map(([name]) => name).join(", ") || "none"} (${(100 * share).toFixed(2)} %)\n`,
    );
    expect(share).toBeLessThan(0.01);
  });
});
