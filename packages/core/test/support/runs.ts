import * as tf from "@tensorflow/tfjs-core";
import { adamW } from "../../src/optim/index.ts";
import type { Controller, Model, Params, Saved, TermUse } from "../../src/spec/index.ts";
import { crossEntropy } from "../../src/terms/cross-entropy.ts";
import { chainDataset } from "../../src/testing/data.ts";
import { twoLayer } from "../../src/testing/two-layer.ts";
import type { TrainerOptions } from "../../src/train/options.ts";
import { createTrainer, type Trainer } from "../../src/train/trainer.ts";

export const model: Model = twoLayer();

/** Cross-entropy and these uses on the two-layer model; `parts` micro-batches make one step of four sequences. */
export function options(uses: readonly TermUse[], more: Partial<TrainerOptions> & { readonly parts?: number } = {}): TrainerOptions {
  const { parts = 1, ...rest } = more;
  return {
    model,
    terms: [{ term: crossEntropy(), weight: 1 }, ...uses],
    dataset: chainDataset({ vocabulary: model.shape.vocabulary, shape: { sequences: 4 / parts, length: 5 } }),
    optimizer: adamW({ learningRate: 1e-2, beta2: 0.99 }),
    microBatches: parts,
    seed: 3,
    ledgerEvery: 0,
    ...rest,
  };
}

export async function ran(trainer: Trainer, steps: number): Promise<Trainer> {
  for (let i = 0; i < steps; i++) await (await trainer.step()).record;
  return trainer;
}

/** Bits of all parameters after so many steps; the trainer is released. */
export async function bitsAfter(given: TrainerOptions, steps: number): Promise<Uint32Array> {
  const trainer = await ran(await createTrainer(given), steps);
  const bits = bitsOf(trainer.params);
  trainer.dispose();
  return bits;
}
export function bitsOf(params: Params): Uint32Array {
  return Uint32Array.from(Object.values(params).flatMap((p) => [...new Uint32Array(new Float32Array(p.dataSync()).buffer)]));
}
export const differing = (a: Uint32Array, b: Uint32Array): number =>
  a.reduce((n, x, i) => n + (x === b[i] ? 0 : 1), Math.abs(a.length - b.length));

/** PI controller on the device. */
export type SetPointState = { readonly integral: tf.Tensor; readonly weight: tf.Tensor };
export function setPoint(reads: string, target: number): Controller<SetPointState> {
  return {
    specVersion: 1,
    name: "setPoint",
    objective: "setPoint",
    reads: [reads],
    init: () => ({ integral: tf.scalar(0), weight: tf.scalar(0.05) }),
    weight: ({ weight }) => weight,
    observe: (features, { integral }) => {
      const error = tf.sub(features[reads] as tf.Tensor, target);
      const next = tf.add(integral, error);
      return { integral: next, weight: tf.relu(tf.add(0.05, tf.mul(tf.add(next, error), 0.01))) };
    },
  };
}
export const sgdOptimizer = (learningRate: number): TrainerOptions["optimizer"] => ({
  name: "plain",
  init: (): Saved => null,
  step: (p, g, state) => ({ parameter: tf.sub(p, tf.mul(g, learningRate)), state }),
});
