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

function measured(options: GptOptions, sequences: number, length: number): { readonly activations: number; readonly total: number } {
  const watch = watchBuffers();
  const model = gpt(options);
  const params = fixtureParams(model);
  const batch = fixtureBatch({ ...model.config, sequences, length });
  const before = watch.live();
  let activations = 0;
  composed(() =>
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
  ])("%s: the tape to a fiftieth, the peak to a seventh of what is allocated", (_name, options, sequences, length) => {
    const actual = measured(options, sequences, length);
    const estimate = estimateMemory(options, { sequences, length }, 0);
    expect(Math.abs(estimate.activations / actual.activations - 1)).toBeLessThan(1 / 50);
    expect(Math.abs(estimate.total / actual.total - 1)).toBeLessThan(1 / 7);
  });

  test("GPT-2 Small with AdamW: weights, gradients and two moments take 16 bytes a parameter", () => {
    const { parameters, gradients, moments, total, activations, backward } = estimateMemory(presets.gpt2, { sequences: 1, length: 64 });
    expect(parameters).toBe(4 * 124_439_808);
    expect(gradients).toBe(parameters);
    expect(moments).toBe(2 * parameters);
    expect(total).toBe(parameters + gradients + moments + activations + backward);
  });
});
