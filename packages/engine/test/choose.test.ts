import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { choose, useBackend } from "../src/index.ts";

describe.each(["cpu", "wasm"] as const)("choose on %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test.each([true, false])("takes the whole tensor, bit for bit, NaN and -0 included, flag %s", (flag) => {
    const before = tf.memory();
    const [yes, no] = [tf.tensor1d([1, Number.NaN, -0, Number.POSITIVE_INFINITY]), tf.tensor1d([5, 6, 7, 8])];
    const on = tf.scalar(flag, "bool");
    const chosen = choose(on, yes, no);
    tf.dispose([yes, no, on]);
    // The data outlives the tensors it was chosen from.
    expect([...chosen.dataSync()]).toEqual(flag ? [1, Number.NaN, -0, Number.POSITIVE_INFINITY] : [5, 6, 7, 8]);
    chosen.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  });

  test("works on a flag computed on the device, and on int32", () => {
    tf.tidy(() => {
      const ok = tf.logicalAnd(tf.isFinite(tf.scalar(Number.NaN)), tf.scalar(true, "bool"));
      expect([...choose(ok, tf.tensor1d([1, 2], "int32"), tf.tensor1d([3, 4], "int32")).dataSync()]).toEqual([3, 4]);
    });
  });
});
