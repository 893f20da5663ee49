import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { listBackends, sumSquares, useBackend } from "../src/index.ts";

const present = (await listBackends()).filter(({ available }) => available).map(({ name }) => name);

describe.each(present)("sumSquares on %s", (backend) => {
  test("of several shapes, of one, of none", async () => {
    await useBackend(backend);
    const xs = [tf.tensor1d([1, 2]), tf.tensor2d([[3], [4]]), tf.scalar(5)];
    expect(sumSquares(xs).dataSync()[0]).toBe(55);
    expect(sumSquares(xs.slice(1, 2)).dataSync()[0]).toBe(25);
    expect(sumSquares([]).dataSync()[0]).toBe(0);
  });

  test("its gradient is 2x, its second derivative 2", async () => {
    await useBackend(backend);
    const f = tf.grads((a, b) => sumSquares([a as tf.Tensor, b as tf.Tensor]));
    const [da, db] = f([tf.tensor1d([1, -2]), tf.tensor2d([[3], [0]])]) as [tf.Tensor, tf.Tensor];
    expect([[...da.dataSync()], [...db.dataSync()]]).toEqual([
      [2, -4],
      [6, 0],
    ]);
    const second = tf.grad((x) => tf.sum(tf.grad((y) => sumSquares([y]))(x)));
    expect([...second(tf.tensor1d([1, 7])).dataSync()]).toEqual([2, 2]);
  });

  test("NaN and overflow show, and many small terms count", async () => {
    await useBackend(backend);
    expect(sumSquares([tf.tensor1d([1, Number.NaN])]).dataSync()[0]).toBeNaN();
    expect(sumSquares([tf.tensor1d([1e30])]).dataSync()[0]).toBe(Number.POSITIVE_INFINITY);
    const total = sumSquares([tf.fill([4000, 1000], 0.1)]).dataSync()[0] as number;
    expect(Math.abs(total - 40_000)).toBeLessThan(0.4);
  });
});
