import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { composed, counterRng, EitpError, embedding, headCrossEntropy, hvp, useBackend, valueAndGrad } from "../src/index.ts";

const rng = counterRng(21);
const [N, D, V] = [13, 5, 17];
const relative = (a: tf.Tensor, b: tf.Tensor): number => tf.div(tf.norm(tf.sub(a, b)), tf.norm(b)).dataSync()[0] as number;
/** 3 rows of logits at a time: the last chunk is shorter. */
const small = { budgetBytes: 4 * V * 3 };

describe.each(["cpu", "wasm"])("headCrossEntropy on %s", (backend) => {
  beforeAll(() => useBackend(backend));
  const hidden = (): tf.Tensor => rng.fold("h").normal([N, D]);
  const weight = (): tf.Tensor => rng.fold("w").normal([V, D]);
  const ids = [0, 16, 3, -1, 3, 5, 7, -1, 9, 1, 2, 16, 8];
  const targets = (): tf.Tensor => tf.tensor1d(ids, "int32");
  const naive = (h: tf.Tensor, w: tf.Tensor): tf.Tensor => {
    const logits = tf.matMul(h, w, false, true);
    const picked = tf.mul(tf.logSoftmax(logits), tf.oneHot(tf.maximum(targets(), tf.scalar(0, "int32")), V));
    return tf.mul(tf.neg(tf.sum(picked, -1)), tf.tensor1d(ids.map((id) => (id < 0 ? 0 : 1))));
  };
  const scale = (): tf.Tensor => tf.range(1, N + 1);

  test.each([{}, small, { budgetBytes: 1 }])("value and gradients equal the naive form: %j", (options) => {
    const params = { h: hidden(), w: weight() };
    expect(relative(headCrossEntropy(params.h, params.w, targets(), options), naive(params.h, params.w))).toBeLessThan(1e-6);
    const ours = valueAndGrad(({ h, w }) => tf.sum(tf.mul(headCrossEntropy(h, w, targets(), options), scale())), params).grads;
    const theirs = valueAndGrad(({ h, w }) => tf.sum(tf.mul(naive(h, w), scale())), params).grads;
    expect(relative(ours.h, theirs.h)).toBeLessThan(3e-6);
    expect(relative(ours.w, theirs.w)).toBeLessThan(3e-6);
    expect(Array.from(tf.slice(ours.h, [3, 0], [1, D]).dataSync()).every((x) => x === 0)).toBe(true);
  });

  test.each([{}, small])("second derivatives equal differences of gradients: %j", (options) => {
    const params = { h: hidden(), w: weight() };
    const v = { h: rng.fold("vh").normal([N, D]), w: rng.fold("vw").normal([V, D]) };
    const f = ({ h, w }: typeof params): tf.Tensor => tf.sum(tf.mul(headCrossEntropy(h, w, targets(), options), scale()));
    const exact = hvp(f, params, v);
    const gradient = (e: number): typeof params =>
      valueAndGrad(f, { h: tf.add(params.h, tf.mul(v.h, e)), w: tf.add(params.w, tf.mul(v.w, e)) }).grads;
    const [plus, minus] = [gradient(5e-3), gradient(-5e-3)];
    for (const key of ["h", "w"] as const) expect(relative(exact[key], tf.div(tf.sub(plus[key], minus[key]), 1e-2))).toBeLessThan(1e-2);
  });

  test("composed: no tensor larger than a chunk's logits exists, forward or backward, and nothing stays", async () => {
    const [rows, width, vocabulary] = [64, 4, 250];
    const params = { h: rng.normal([rows, width]), w: rng.normal([vocabulary, width]) };
    const wanted = tf.tensor1d(
      Array.from({ length: rows }, (_, i) => i * 3),
      "int32",
    );
    const before = tf.memory().numTensors;
    // The profile is one object that every run fills anew: numbers are taken from it at once.
    const run = async (budgetBytes: number): Promise<{ readonly largest: number; readonly peakBytes: number }> => {
      const { kernels, peakBytes } = await tf.profile(() => {
        const loss = ({ h, w }: typeof params): tf.Tensor => tf.sum(headCrossEntropy(h, w, wanted, { budgetBytes }));
        const { value, grads } = composed(() => valueAndGrad(loss, params));
        tf.dispose([value, grads.h, grads.w]);
        return tf.scalar(0);
      });
      return { largest: Math.max(...kernels.flatMap((k) => k.outputShapes.map((s) => tf.util.sizeFromShape(s)))), peakBytes };
    };
    const [chunked, whole] = [await run(4 * vocabulary * 8), await run(2 ** 20)];
    expect(whole.largest).toBe(rows * vocabulary);
    expect(chunked.largest).toBe(8 * vocabulary);
    expect(chunked.peakBytes).toBeLessThan(whole.peakBytes - 4 * rows * vocabulary);
    expect(tf.memory().numTensors).toBe(before + 2);
  });

  test("large logits stay finite, and a target beyond the vocabulary is an error", () => {
    const h = tf.tensor2d([[300], [-300]]);
    const w = tf.tensor2d([[1], [0], [-1]]);
    expect(Array.from(headCrossEntropy(h, w, tf.tensor1d([0, 0], "int32")).dataSync())).toEqual([0, 600]);
    expect(() => headCrossEntropy(h, w, tf.tensor1d([0, 3], "int32"))).toThrow(EitpError);
    expect(() => headCrossEntropy(h, w, tf.tensor1d([0], "int32"))).toThrow(/\[N, D\]/);
  });
});

describe.each(["cpu", "wasm"])("embedding on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("picks rows; the gradient adds them up, and is linear", () => {
    const table = rng.normal([4, 3]);
    const ids = tf.tensor2d(
      [
        [3, 0, 3],
        [3, 1, 0],
      ],
      [2, 3],
      "int32",
    );
    const out = embedding(table, ids);
    expect(out.shape).toEqual([2, 3, 3]);
    expect(out.arraySync()).toEqual((ids.arraySync() as number[][]).map((row) => row.map((id) => (table.arraySync() as number[][])[id])));
    const grad = valueAndGrad(({ table }) => tf.sum(embedding(table, ids)), { table }).grads.table;
    expect(grad.arraySync()).toEqual([2, 1, 0, 3].map((count) => [count, count, count]));
    const square = (t: { table: tf.Tensor }): tf.Tensor => tf.sum(tf.square(embedding(t.table, ids)));
    expect(hvp(square, { table }, { table: tf.onesLike(table) }).table.arraySync()).toEqual([4, 2, 0, 6].map((x) => [x, x, x]));
  });

  test.each([-1, 4, 1e9])("refuses id %i", (id) => {
    const before = tf.memory().numTensors;
    expect(() => tf.tidy(() => embedding(tf.ones([4, 3]), tf.tensor1d([0, id], "int32")))).toThrow(/outside 0 … 3/);
    expect(tf.memory().numTensors).toBe(before);
  });
});
