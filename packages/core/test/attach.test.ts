import { counterRng, useBackend } from "@eitp/engine";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { attach } from "../src/train/attach.ts";
import { activity, density, growth } from "./support/terms.ts";

const given = (hidden: readonly [tf.Tensor3D, ...tf.Tensor3D[]], step: number) => ({
  hidden,
  step,
  rng: counterRng(1),
  read: {},
  weights: {},
});
const context = { model: { width: 4, layers: 1, vocabulary: 1, params: {} }, batch: { sequences: 64, length: 1 }, rng: counterRng(1) };

/** A stranger's model: plain tf.layers, with a tap on its first layer. */
function stranger() {
  const dense = tf.layers.dense({
    units: 4,
    inputShape: [3],
    activation: "tanh",
    kernelInitializer: tf.initializers.glorotNormal({ seed: 3 }),
  });
  const model = tf.sequential({
    layers: [dense, tf.layers.dense({ units: 2, kernelInitializer: tf.initializers.glorotNormal({ seed: 4 }) })],
  });
  const tapped = tf.model({ inputs: model.inputs, outputs: [dense.output as tf.SymbolicTensor, ...model.outputs] });
  const x = tf.tensor2d(
    Array.from({ length: 192 }, (_, i) => Math.sin(i * 1.7)),
    [64, 3],
  );
  const forward = (): readonly [tf.Tensor3D, tf.Tensor] => {
    const [h, out] = tapped.apply(x) as [tf.Tensor, tf.Tensor];
    return [tf.expandDims(h, 1) as tf.Tensor3D, out];
  };
  return { model, x, forward };
}

describe.each(["cpu", "wasm"] as const)("%s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test("own parameters learn under a stranger's minimize, the state moves, no tensor stays", () => {
    const { x, forward } = stranger();
    const adam = tf.train.adam(0.01);
    const [h0] = forward();
    const live = attach(density(), context, given([h0], 0));
    const values: number[] = [];
    const counts: number[] = [];
    for (let i = 0; i < 60; i++) {
      tf.tidy(() => {
        adam.minimize(() => {
          const [h, out] = forward();
          const loss = live.loss(given([h], i));
          values.push(loss.dataSync()[0] as number);
          return tf.add(tf.mean(tf.square(out)), tf.mul(loss, 0)) as tf.Scalar;
        });
      });
      counts.push(tf.memory().numTensors);
    }
    expect(values[59]).toBeLessThan((values[0] as number) - 0.2);
    expect(counts[59]).toBe(counts[2]);
    const before = tf.memory().numTensors;
    live.dispose();
    // mean, log-variance and two moments of each
    expect(tf.memory().numTensors).toBe(before - 6);
    tf.dispose([x, h0]);
  });

  test("the loss carries its gradient into the stranger's weights", () => {
    const { model, forward } = stranger();
    const live = attach(activity(), context, given([forward()[0]], 0));
    const weights = model.trainableWeights.map((w) => w.read() as tf.Variable);
    const { grads } = tf.variableGrads(() => live.loss(given([forward()[0]], 0)) as tf.Scalar, weights.slice(0, 2));
    const kernel = weights[0] as tf.Variable;
    const slope = tf.sum(grads[kernel.name] as tf.Tensor).dataSync()[0] as number;
    const at = (by: number): number => {
      const held = tf.clone(kernel);
      kernel.assign(tf.add(held, by));
      const value = live.loss(given([forward()[0]], 0)).dataSync()[0] as number;
      kernel.assign(held as never);
      return value;
    };
    expect(slope).toBeCloseTo((at(1e-2) - at(-1e-2)) / 2e-2, 3);
  });

  test("outside a tape nothing moves; a warm start moves under one", () => {
    const h = counterRng(2).normal([64, 1, 4]) as tf.Tensor3D;
    const inputs = {
      ...given([h], 0),
      blocks: [(x: { value: tf.Tensor; tangent: tf.Tensor }) => ({ value: tf.mul(x.value, 2), tangent: tf.mul(x.tangent, 2) })],
    };
    const live = attach(growth(), context, inputs);
    const before = live.state;
    live.loss(inputs).dispose();
    expect(live.state).toBe(before);
    tf.tidy(() => tf.grad((x) => tf.add(live.loss({ ...inputs, hidden: [x as tf.Tensor3D] }), tf.sum(x)))(h));
    const { v, ema } = live.state as { readonly v: tf.Tensor; readonly ema: tf.Tensor };
    expect(tf.sum(tf.square(v)).dataSync()[0]).toBeCloseTo(64, 3);
    expect(ema.dataSync()[0]).toBeCloseTo(0.1 * Math.LN2, 5);
    live.dispose();
  });
});
