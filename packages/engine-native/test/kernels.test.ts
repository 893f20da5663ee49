import { useBackend } from "@eitp/engine";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { missing } from "./native.ts";

/** Runs `f` on both backends and compares every entry: within 2e-6 of itself, or, for sums of many terms, within `ofLargest` of the largest entry. */
async function agree(f: () => tf.Tensor | tf.Tensor[], ofLargest = 1e-9): Promise<void> {
  const outputs: { readonly shape: number[]; readonly dtype: string; readonly values: ArrayLike<number> }[][] = [];
  for (const backend of ["cpu", "native"]) {
    await useBackend(backend);
    const made = tf.tidy(f);
    const list = Array.isArray(made) ? made : [made];
    outputs.push(list.map((t) => ({ shape: t.shape, dtype: t.dtype, values: t.dataSync() })));
    tf.dispose(made);
  }
  const [expected, got] = outputs;
  expect(got?.length).toBe(expected?.length);
  expected?.forEach((e, k) => {
    const g = got?.[k];
    expect([g?.shape, g?.dtype]).toEqual([e.shape, e.dtype]);
    const largest = Array.from(e.values).reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1e-3);
    for (let i = 0; i < e.values.length; i++) {
      const [a, b] = [e.values[i] as number, g?.values[i] as number];
      const same = Object.is(a, b) || a === b || Math.abs(a - b) <= Math.max(2e-6 * Math.abs(a), ofLargest * largest);
      if (!same) expect(`${b} at ${i} of [${e.shape}]`).toBe(`${a}`);
    }
  });
}

/** Numbers in (−2, 2) that depend on place and seed only. */
function noise(shape: number[], seed = 1): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) * seed + seed)),
    shape,
  );
}
const special = (): tf.Tensor =>
  tf.tensor1d([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e-40, 1e38, -1e38, 3, -3, 0.5]);

describe.skipIf(missing !== null)(`native kernels${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  const shapes: readonly (readonly [number[], number[]])[] = [
    [[7], [7]],
    [[3, 5], [5]],
    [
      [3, 5],
      [3, 1],
    ],
    [
      [3, 1],
      [1, 5],
    ],
    [
      [2, 1, 17, 3],
      [4, 1, 3],
    ],
    [[33], []],
    [[], [33]],
    [[], []],
    [[0, 3], [3]],
    [
      [2, 70_001],
      [2, 70_001],
    ],
    [[70_001], [1]],
  ];
  test.each(shapes)("two operands, [%s] and [%s]", async (a, b) => {
    const [x, y] = [(): tf.Tensor => noise(a, 1), (): tf.Tensor => noise(b, 2)];
    await agree(() => [tf.add(x(), y()), tf.sub(x(), y()), tf.mul(x(), y()), tf.div(x(), tf.add(tf.abs(y()), 0.1))]);
    await agree(() => [tf.maximum(x(), y()), tf.minimum(x(), y()), tf.squaredDifference(x(), y())]);
    await agree(() => [tf.greater(x(), y()), tf.greaterEqual(x(), y()), tf.less(x(), y()), tf.lessEqual(x(), y())]);
    await agree(() => [tf.equal(x(), x()), tf.notEqual(x(), y()), tf.logicalAnd(tf.greater(x(), 0), tf.less(y(), 0))]);
    await agree(() => tf.logicalOr(tf.greater(x(), 1), tf.logicalNot(tf.less(y(), 1))));
    const int = (t: tf.Tensor): tf.Tensor => tf.cast(tf.mul(t, 10), "int32");
    await agree(() => [
      tf.add(int(x()), int(y())),
      tf.mul(int(x()), int(y())),
      tf.maximum(int(x()), int(y())),
      tf.less(int(x()), int(y())),
    ]);
  });

  test.each([[[1]], [[15]], [[16]], [[33, 3]], [[0]], [[80_003]]])("one operand, [%s]", async (shape) => {
    const x = (): tf.Tensor => noise(shape);
    const positive = (): tf.Tensor => tf.add(tf.abs(noise(shape)), 1e-3);
    await agree(() => [tf.neg(x()), tf.square(x()), tf.abs(x()), tf.relu(x()), tf.isFinite(x()), tf.isNaN(x())]);
    await agree(() => [tf.sqrt(positive()), tf.rsqrt(positive()), tf.log(positive()), tf.reciprocal(positive())]);
    await agree(() => [tf.exp(tf.mul(x(), 20)), tf.sigmoid(tf.mul(x(), 5)), tf.tanh(tf.mul(x(), 2)), tf.tanh(tf.mul(x(), 1e-3))]);
    await agree(() => [tf.cast(x(), "int32"), tf.cast(x(), "bool"), tf.cast(tf.greater(x(), 0), "float32")]);
    await agree(() => [tf.zerosLike(x()), tf.onesLike(x()), tf.fill(shape, 2.5), tf.addN([x(), x(), positive()])]);
    await agree(() => tf.where(tf.greater(x(), 0), x(), positive()));
  });

  test("NaN, infinities and zeros come through as in JavaScript", async () => {
    const x = special;
    await agree(() => [tf.exp(x()), tf.log(x()), tf.tanh(x()), tf.sigmoid(x()), tf.sqrt(x()), tf.neg(x()), tf.relu(x())]);
    await agree(() => [tf.isFinite(x()), tf.isNaN(x()), tf.add(x(), tf.reverse(x())), tf.mul(x(), 0), tf.div(1, x())]);
    await agree(() => [tf.maximum(x(), tf.reverse(x())), tf.minimum(x(), 1), tf.cast(x(), "int32"), tf.cast(x(), "bool")]);
    for (const at of [0, 5, 20, 39]) {
      const poisoned = (): tf.Tensor => {
        const values = new Float32Array(40);
        values[at] = Number.NaN;
        return tf.tensor(values, [1, 40]);
      };
      await agree(() => [tf.max(poisoned(), 1), tf.sum(poisoned()), tf.softmax(poisoned()), tf.matMul(poisoned(), tf.ones([40, 3]))]);
    }
  });

  test("exponentials beyond the range", async () => {
    await useBackend("native");
    const x = [-200, -103, -88, -87.5, 87.9, 88.5, 88.7, 89, 200];
    const y = tf.exp(tf.tensor1d(x)).dataSync();
    x.forEach((v, i) => {
      const expected = Math.fround(Math.exp(Math.fround(v)));
      const error = Math.abs((y[i] as number) - expected);
      expect(expected === y[i] || error <= Math.max(2e-45, 2e-6 * expected), `exp(${v}) = ${y[i]}, expected ${expected}`).toBe(true);
    });
  });

  const matrices: readonly (readonly [number[], number[], boolean, boolean])[] = [
    [[1, 1], [1, 1], false, false],
    [[3, 5], [5, 2], false, false],
    [[5, 3], [5, 2], true, false],
    [[15, 33], [65, 33], false, true],
    [[33, 15], [47, 33], true, true],
    [[1, 70], [70, 33], false, false],
    [[2, 70], [33, 70], false, true],
    [[70, 1], [70, 600], true, false],
    [[3, 29, 17], [3, 17, 40], false, false],
    [[2, 3, 29, 17], [2, 3, 40, 17], false, true],
    [[5, 4, 3], [3, 6], false, false],
    [[300, 20], [300, 31], true, false],
    [[14, 400], [400, 32], false, false],
    [[4, 0], [0, 3], false, false],
    [[0, 4], [4, 3], false, false],
    [[2, 3, 5, 2], [1, 3, 2, 5], false, false],
  ];
  test.each(matrices)("matMul [%s] · [%s], transposed %s %s", async (a, b, ta, tb) => {
    await agree(() => tf.matMul(noise(a, 1), noise(b, 2), ta, tb), 1e-5);
  });
  test("fused.matMul with a bias, and with an activation", async () => {
    const f = (activation: "linear" | "relu"): tf.Tensor =>
      tf.fused.matMul({ a: noise([33, 20]), b: noise([17, 20], 2), transposeB: true, bias: noise([17], 3), activation });
    await agree(() => [f("linear"), f("relu")], 1e-5);
  });
  test("gradients of matMul", async () => {
    const grads = tf.grads((...x) => tf.sum(tf.square(tf.matMul(x[0] as tf.Tensor, x[1] as tf.Tensor, false, true))));
    await agree(() => grads([noise([17, 9], 1), noise([21, 9], 2)]), 1e-5);
  });

  const reductions: readonly (readonly [number[], number[]])[] = [
    [[5], [0]],
    [[4, 7], [0]],
    [[4, 7], [1]],
    [
      [4, 7],
      [0, 1],
    ],
    [[3, 4, 5], [1]],
    [
      [3, 4, 5],
      [0, 2],
    ],
    [
      [3, 300, 5],
      [1, 2],
    ],
    [
      [2, 3, 4, 5],
      [0, 2],
    ],
    [[4, 1], [1]],
    [[100_000], [0]],
    [[300, 301], [0]],
  ];
  test.each(reductions)("sums, means and extremes of [%s] over %s", async (shape, axes) => {
    await agree(() => [tf.sum(noise(shape), axes), tf.mean(noise(shape), axes, true)], 1e-5);
    await agree(() => [tf.max(noise(shape), axes), tf.min(noise(shape), axes, true)]);
  });
  test("reductions of nothing, and of a scalar", async () => {
    await agree(() => [
      tf.sum(tf.zeros([0, 3]), 0),
      tf.sum(tf.scalar(3)),
      tf.mean(tf.scalar(3)),
      tf.max(tf.scalar(-3)),
      tf.sum(tf.zeros([3, 0])),
    ]);
  });
  test("softmax", async () => {
    await agree(
      () => [tf.softmax(noise([5, 37])), tf.logSoftmax(noise([2, 3, 5])), tf.softmax(noise([1])), tf.softmax(noise([300, 301]))],
      4e-6,
    );
  });

  test("shapes", async () => {
    const x = (): tf.Tensor => noise([3, 4, 5]);
    await agree(() => [tf.transpose(x()), tf.transpose(x(), [1, 0, 2]), tf.transpose(noise([300, 301])), tf.transpose(tf.scalar(2))]);
    await agree(() => tf.transpose(noise([2, 3, 4, 5, 2]), [4, 2, 0, 3, 1]));
    await agree(() => [tf.slice(x(), [1, 1, 2], [2, 3, 3]), tf.slice(x(), [0, 2, 0], [3, 0, 5]), tf.slice(x(), [2], [1])]);
    await agree(() => [...tf.split(x(), [1, 3], 1), ...tf.split(x(), 5, 2), ...tf.split(x(), 3)]);
    await agree(() => [tf.concat([x(), x()], 0), tf.concat([x(), noise([3, 2, 5], 3)], 1), tf.concat([x(), noise([3, 4, 1], 3)], 2)]);
    await agree(() => [tf.stack([x(), x()]), tf.stack([x(), noise([3, 4, 5], 2)], 3), tf.stack([tf.scalar(1), tf.scalar(2)])]);
    await agree(() => [
      tf.pad(
        x(),
        [
          [0, 1],
          [2, 0],
          [1, 1],
        ],
        7,
      ),
      tf.tile(x(), [2, 1, 3]),
      tf.broadcastTo(noise([3, 1]), [2, 3, 4]),
    ]);
    await agree(() => [tf.cast(tf.stack([tf.greater(x(), 0), tf.less(x(), 1)], 1), "int32"), tf.unstack(x(), 1)[2] as tf.Tensor]);
  });

  test("rows by index, and their sums", async () => {
    const ids = (): tf.Tensor1D => tf.tensor1d([4, 0, 4, 2, 4], "int32");
    await agree(() => [
      tf.gather(noise([5, 70]), ids()),
      tf.gather(tf.tensor1d([1, 2, 3, 4, 5], "int32"), ids()),
      tf.gather(noise([3, 5]), ids(), 1),
    ]);
    await agree(() => tf.unsortedSegmentSum(noise([5, 70]), ids(), 6));
    for (const id of [5, -1]) {
      const count = tf.memory().numTensors;
      expect(() => tf.tidy(() => tf.gather(noise([5, 3]), tf.tensor1d([0, id], "int32")))).toThrow(/index at place 1 is outside 0 … 4/);
      expect(tf.memory().numTensors).toBe(count);
    }
  });
});
