import { adamW, clipByGlobalNorm, createTrainer, crossEntropy } from "@eitp/core";
import type { BatchShape } from "@eitp/core/spec";
import { composed, counterRng, useBackend, withTape } from "@eitp/engine";
import { dispose, engine, mean, type Tensor } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { estimateMemory, type GptOptions, gpt, presets } from "../src/index.ts";
import { fixtureBatch, fixtureParams } from "./fixture.ts";

/** Bytes of distinct buffers, live and at most: `tf.memory()` counts every view of a buffer again. */
function watchBuffers(): { live(): number; peak(): number; stop(): void } {
  const e = engine();
  const { trackTensor, removeDataId } = e;
  const sizes = new Map<object, number>();
  let [live, peak] = [0, 0];
  e.trackTensor = (tensor, backend) => {
    if (!sizes.has(tensor.dataId)) {
      sizes.set(tensor.dataId, 4 * tensor.size);
      live += 4 * tensor.size;
      peak = Math.max(peak, live);
    }
    trackTensor.call(e, tensor, backend);
  };
  e.removeDataId = (dataId, backend) => {
    live -= sizes.get(dataId) ?? 0;
    sizes.delete(dataId);
    removeDataId.call(e, dataId, backend);
  };
  return { live: () => live, peak: () => peak, stop: () => Object.assign(e, { trackTensor, removeDataId }) };
}

type Operations = "composed" | "fused";
function measured(
  operations: Operations,
  options: GptOptions,
  sequences: number,
  length: number,
): { readonly activations: number; readonly total: number } {
  const watch = watchBuffers();
  const model = gpt(options);
  const params = fixtureParams(model);
  const batch = fixtureBatch({ ...model.config, sequences, length });
  const before = watch.live();
  let activations = 0;
  const as = operations === "fused" ? <R>(f: () => R): R => f() : composed;
  as(() =>
    withTape((tape) => {
      const { nll } = model.apply(params, batch, new Set(["nll"]), { training: true, rng: counterRng(1) });
      const loss: Tensor = mean(nll ?? []);
      activations = watch.live() - before;
      tape.gradient(loss, Object.values(params));
    }),
  );
  dispose([params, { ...batch }]);
  watch.stop();
  return { activations, total: watch.peak() };
}

const small: GptOptions = { vocabulary: 50, context: 32, width: 32, layers: 2, heads: 2 };

describe("estimateMemory", () => {
  beforeAll(async () => {
    await useBackend("wasm");
  });

  test.each<[name: string, options: GptOptions, sequences: number, length: number]>([
    ["a small model", small, 4, 32],
    ["dropout", { ...small, dropout: 0.1 }, 4, 32],
    ["rotary positions", { ...small, positions: "rotary" }, 4, 32],
    ["ALiBi and token shift", { ...small, positions: "alibi", tokenShift: true }, 4, 32],
    ["long sequences", { ...small, context: 256, layers: 3 }, 2, 256],
    ["a large vocabulary", { ...small, vocabulary: 6000, width: 64 }, 1, 16],
    ["a large vocabulary in chunks", { ...small, vocabulary: 3000, headBudgetBytes: 3000 * 4 * 16 }, 4, 32],
    ["a single block", { ...small, layers: 1, vocabulary: 20, positions: "none" }, 4, 8],
    ["deep and narrow", { ...small, layers: 8 }, 2, 16],
    ["the nano preset", presets.nano, 8, 64],
    ["odd sizes", { vocabulary: 77, context: 33, width: 60, layers: 3, heads: 3 }, 3, 29],
  ])("%s: the tape to a fiftieth, the peak to a seventh of what is allocated, a tenth when fused", (_name, options, sequences, length) => {
    for (const operations of ["composed", "fused"] as const) {
      const actual = measured(operations, options, sequences, length);
      const { parameters, gradients, activations, backward } = estimateMemory(options, { sequences, length }, { operations });
      expect(Math.abs(activations / actual.activations - 1), operations).toBeLessThan(1 / 50);
      const total = parameters + gradients + activations + backward;
      expect(Math.abs(total / actual.total - 1), operations).toBeLessThan(operations === "fused" ? 1 / 10 : 1 / 7);
    }
  });

  test.each<[backend: "wasm" | "cpu", options: GptOptions, shape: BatchShape, clips: boolean, microBatches: number]>([
    ["wasm", small, { sequences: 4, length: 32 }, true, 1],
    ["wasm", { ...small, vocabulary: 6000, width: 64 }, { sequences: 1, length: 16 }, true, 2],
    ["wasm", { ...small, width: 128, layers: 4 }, { sequences: 1, length: 3 }, true, 1],
    ["wasm", { ...small, width: 128, layers: 4 }, { sequences: 1, length: 3 }, false, 1],
    ["wasm", presets.nano, { sequences: 8, length: 64 }, true, 2],
    ["cpu", { ...small, vocabulary: 3000 }, { sequences: 1, length: 16 }, true, 1],
    ["cpu", { vocabulary: 77, context: 33, width: 60, layers: 3, heads: 3 }, { sequences: 2, length: 29 }, true, 2],
  ])("%s, %j, %j, clipping %s, %i micro-batches: a trainer's peak to a seventh", async (backend, options, shape, clips, microBatches) => {
    await useBackend(backend);
    const count = shape.sequences * shape.length;
    const model = gpt(options);
    const ids = Int32Array.from({ length: count }, (_, i) => i % model.config.vocabulary);
    const watch = watchBuffers();
    const trainer = await createTrainer({
      model,
      terms: [{ term: crossEntropy(), weight: 1 }],
      optimizer: adamW({ learningRate: 1e-3, weightDecay: 0.1 }),
      transforms: clips ? [clipByGlobalNorm(1)] : [],
      dataset: { fingerprint: "", shape, start: () => 0, next: async () => ({ batch: { shape, tokens: ids, targets: ids }, cursor: 0 }) },
      microBatches,
      seed: 1,
      ledgerEvery: 0,
    });
    for (let i = 0; i < 2; i++) await (await trainer.step()).record;
    trainer.dispose();
    watch.stop();
    const operations = backend === "wasm" ? "fused" : "composed";
    const { total } = estimateMemory(options, shape, { operations, microBatches, transforms: clips });
    expect(Math.abs(total / watch.peak() - 1)).toBeLessThan(1 / 7);
  });

  test("GPT-2 Small with AdamW: weights, gradients and two moments take 16 bytes a parameter; the largest weight's step is the peak", () => {
    const estimate = estimateMemory(presets.gpt2, { sequences: 1, length: 64 });
    const { parameters, gradients, moments, update } = estimate;
    expect(parameters).toBe(4 * 124_439_808);
    expect(gradients).toBe(parameters);
    expect(moments).toBe(2 * parameters);
    expect(update).toBe(11 * 4 * 50_257 * 768);
    expect(estimate.total).toBe(parameters + gradients + moments + update);
  });

  test("logits kept for the backward are there twice: zeros stand for the gradient that nothing sends them", () => {
    const shape = { sequences: 4, length: 32 };
    const without = estimateMemory(small, shape, { operations: "fused" });
    const kept = estimateMemory(small, shape, { operations: "fused", keptLogitsBytes: 2 ** 20 });
    expect(kept.total - without.total).toBe(2 * 4 * 128 * 50);
  });
});
