import { hvp, useBackend } from "@eitp/engine";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { NativeBackend } from "../src/backend.ts";
import { missing } from "./native.ts";

const live = (): number => (tf.backend() as unknown as NativeBackend).arena.live;

describe.skipIf(missing !== null)(`native memory${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(() => useBackend("native"));

  test("a disposed tensor gives its memory back, and the next of its size takes it", () => {
    const before = live();
    const x = tf.fill([1000, 1000], 1);
    expect(live()).toBeGreaterThanOrEqual(before + 4_000_000);
    expect(tf.memory().numBytes).toBeGreaterThanOrEqual(4_000_000);
    x.dispose();
    expect(live()).toBe(before);
    for (let i = 0; i < 200; i++) tf.fill([1000, 1000], i).dispose();
    expect(live()).toBe(before);
    expect(process.memoryUsage().rss).toBeLessThan(1.5e9);
  });

  test("shared data lives as long as its last user", async () => {
    const x = tf.fill([8], 3);
    const y = tf.reshape(x, [2, 4]);
    x.dispose();
    tf.fill([8], 5).dispose();
    expect([...(await y.data())]).toEqual(new Array(8).fill(3));
    y.dispose();
  });

  test("what was read survives the tensor, and writing to it changes nothing", async () => {
    const x = tf.fill([8], 3);
    const values = await x.data();
    values[0] = 9;
    expect(x.dataSync()[0]).toBe(3);
    x.dispose();
    tf.fill([8], 5).dispose();
    expect(values[1]).toBe(3);
  });

  test("an array given to a tensor may be changed afterwards", () => {
    const values = new Float32Array([1, 2, 3]);
    const x = tf.tensor1d(values);
    values[0] = 7;
    expect([...x.dataSync()]).toEqual([1, 2, 3]);
    x.dispose();
  });

  test("a request the system refuses names its bytes, and leaves the rest alone", () => {
    const x = tf.fill([8], 3);
    const before = live();
    expect(() => tf.fill([2 ** 26, 2 ** 20], 1)).toThrow(/no memory for 281474976710656 more bytes/);
    expect(live()).toBe(before);
    expect([...x.dataSync()]).toEqual(new Array(8).fill(3));
    x.dispose();
  });

  test("kernels without a native form work on native tensors, and theirs on these", async () => {
    const y = tf.tidy(() => tf.add(tf.cumsum(tf.fill([5], 2)), tf.fill([5], 1)));
    expect([...(await y.data())]).toEqual([3, 5, 7, 9, 11]);
    y.dispose();
  });

  test("tensors move between backends", async () => {
    const x = tf.fill([3], 2);
    await useBackend("cpu");
    const y = tf.mul(x, 2);
    await useBackend("native");
    const z = tf.add(y, x);
    expect([...(await z.data())]).toEqual([6, 6, 6]);
    tf.dispose([x, y, z]);
  });

  test("strings and complex numbers stay in JavaScript", async () => {
    expect(await tf.tensor1d(["a", "b"]).data()).toEqual(["a", "b"]);
    const c = tf.complex([1, 2], [3, 4]);
    expect([...(await c.data())]).toEqual([1, 3, 2, 4]);
    c.dispose();
  });

  test("second derivatives are composed", async () => {
    const x = tf.tensor1d([0.3, -0.8]);
    const product = hvp(({ x }) => tf.sum(tf.mul(x, tf.exp(x))), { x }, { x: tf.onesLike(x) }).x;
    (await product.data()).forEach((y, i) => {
      const v = x.dataSync()[i] as number;
      expect(y).toBeCloseTo((2 + v) * Math.exp(v), 4);
    });
  });
});
