import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { adamWStep, EitpError, headCrossEntropy, primal, useBackend } from "../src/index.ts";

const constants = { beta1: 0.9, beta2: 0.99, scale: 0.1, epsilon: 1e-8, root: 0, keep: 1 };
const attention = (mask: number[]): tf.Tensor =>
  primal.attention(tf.ones([2, 3, 12]), { heads: 2, positions: "none", logN: null, dropout: tf.ones(mask) });

/** Each would read beyond a tensor if a kernel believed it. */
const unfit: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  "a weight of other width": [
    () => primal.linear(tf.ones([2, 3]), tf.ones([4, 5]), null),
    /linear expects a weight of float32 \[3, any\]; got float32 \[4, 5\]/,
  ],
  "a bias of other width": [
    () => primal.linear(tf.ones([2, 3]), tf.ones([3, 5]), tf.ones([4])),
    /a bias of float32 \[5\]; got float32 \[4\]/,
  ],
  "whole numbers": [() => primal.linear(tf.ones([2, 3]), tf.ones([3, 5], "int32"), null), /got int32 \[3, 5\]/],
  "a norm of other width": [
    () => primal.layerNorm(tf.ones([2, 3]), tf.ones([4]), tf.ones([3]), 1e-5),
    /layerNorm expects a weight of float32 \[3\]; got float32 \[4\]/,
  ],
  "a moment of other shape": [
    () => adamWStep(tf.ones([2, 3]), tf.ones([2, 3]), tf.ones([6]), tf.ones([2, 3]), constants),
    /adamWStep expects a first moment/,
  ],
  "targets that are no ids": [() => headCrossEntropy(tf.ones([2, 3]), tf.ones([4, 3]), tf.ones([2])), /int32 targets; got float32 \[2\]/],
};

describe.each(["cpu", "wasm"])("operands that do not fit are refused on %s, naming both shapes", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(Object.entries(unfit))("%s", (_, [call, message]) => {
    const error: unknown = (() => {
      try {
        return tf.tidy(() => void call());
      } catch (e) {
        return e;
      }
    })();
    expect(EitpError.is(error) && error.code).toBe("usage");
    expect(String(error)).toMatch(message);
  });
});

test("a fused attention refuses a mask for fewer heads", async () => {
  await useBackend("wasm");
  expect(() => attention([2, 1, 3, 3])).toThrow(/attention expects a dropout mask of float32 \[2, 2, 3, 3\]; got float32 \[2, 1, 3, 3\]/);
});
