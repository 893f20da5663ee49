import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { counterRng, EitpError, headCrossEntropy, primal, useBackend } from "../src/index.ts";

const rng = counterRng(7);
let fresh = 0;
const values = (shape: readonly number[]): number[] => {
  const source = rng.fold(fresh++);
  return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => source.gaussian(i));
};

/** Runs `f` on cpu and on wasm with the same inputs; the largest difference relative to the largest value. */
async function difference(shapes: readonly (readonly number[])[], f: (...inputs: tf.Tensor[]) => tf.Tensor): Promise<number> {
  const inputs = shapes.map(values);
  const on = async (name: string): Promise<number[]> => {
    await useBackend(name);
    return tf.tidy(() => Array.from(f(...inputs.map((x, i) => tf.tensor(x, [...(shapes[i] as number[])], "float32"))).dataSync()));
  };
  const [expected, actual] = [await on("cpu"), await on("wasm")];
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((m, x) => Math.max(m, Math.abs(x)), 1e-3);
  return expected.reduce((m, x, i) => Math.max(m, Math.abs(x - (actual[i] as number))), 0) / scale;
}

const forms = [false, true].flatMap((a) => [false, true].map((b) => [a, b] as const));
const sizes: readonly (readonly [number[], number, number, number, number[]])[] = [
  [[], 1, 1, 1, []],
  [[], 7, 5, 3, []],
  [[], 65, 49, 97, []],
  [[3], 5, 1, 4, [3]],
  [[2, 3], 9, 7, 11, [2, 3]],
  [[1], 6, 5, 4, [3]],
  [[3], 6, 5, 4, [1]],
  [[2, 1], 4, 3, 5, [2, 1]],
];

describe.each(forms)("matMul on wasm equals cpu, transposed %s %s", (ta, tb) => {
  test.each(sizes)("batch %j, [%i, %i]·[.., %i], batch %j", async (batchA, m, k, n, batchB) => {
    const a = [...batchA, ...(ta ? [k, m] : [m, k])];
    const b = [...batchB, ...(tb ? [n, k] : [k, n])];
    expect(await difference([a, b], (x, y) => tf.matMul(x, y, ta, tb))).toBeLessThan(3e-6);
  });

  test.each([
    [
      [0, 4],
      [4, 3],
    ],
    [
      [3, 0],
      [0, 5],
    ],
    [
      [2, 3, 0],
      [2, 0, 5],
    ],
  ])("empty %j·%j", async (a, b) => {
    const turn = (shape: number[], yes: boolean): number[] => (yes ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape);
    expect(await difference([turn(a, ta), turn(b, tb)], (x, y) => tf.matMul(x, y, ta, tb))).toBe(0);
  });

  test.each(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const)("fused with bias and %s", async (activation) => {
    const [m, k, n] = [5, 101, 7];
    const f = (a: tf.Tensor, b: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
      tf.fused.matMul({ a, b, transposeA: ta, transposeB: tb, bias: tf.mul(bias, 9), activation, leakyreluAlpha: 0.3 });
    expect(await difference([ta ? [k, m] : [m, k], tb ? [n, k] : [k, n], [n]], f)).toBeLessThan(3e-6);
    expect(await difference([[3, ...(ta ? [k, m] : [m, k])], [3, ...(tb ? [n, k] : [k, n])], [n]], f)).toBeLessThan(3e-6);
  });
});

test("matMul on wasm repeats single axes of a batch, as tiling does", async () => {
  await useBackend("wasm");
  const [a, b] = [rng.normal([2, 1, 4, 3]), rng.normal([2, 3, 3, 5])];
  const repeated = tf.matMul(tf.tile(a, [1, 3, 1, 1]), b);
  expect(tf.matMul(a, b).dataSync()).toEqual(repeated.dataSync());
});

describe("unsortedSegmentSum on wasm", () => {
  test.each([
    [[5, 3], [0, 2, 2, 0, 1], 4],
    [[1], [3], 7],
    [[4, 2, 3], [1, 1, 1, 1], 2],
  ])("%j into segments %j of %i", async (shape, ids, count) => {
    expect(await difference([shape], (x) => tf.unsortedSegmentSum(x, tf.tensor1d(ids, "int32"), count))).toBeLessThan(1e-6);
  });

  test("drops negative ids and refuses ids beyond the end", async () => {
    await useBackend("wasm");
    const x = tf.ones([3, 2]);
    expect(tf.unsortedSegmentSum(x, tf.tensor1d([-1, 0, 0], "int32"), 2).arraySync()).toEqual([
      [2, 2],
      [0, 0],
    ]);
    const before = tf.memory().numTensors;
    expect(() => tf.unsortedSegmentSum(x, tf.tensor1d([0, 5, 0], "int32"), 2)).toThrow(EitpError);
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});

describe("transposes, sums, gathers and clones on wasm equal cpu", () => {
  test.each([
    [
      [256, 5],
      [3, 256],
    ],
    [
      [3, 512, 7],
      [3, 9, 512],
    ],
    [
      [256, 256],
      [256, 256],
    ],
  ])("products that transpose rows which collide in cache: %jᵀ·%jᵀ", async (a, b) => {
    expect(await difference([a, b], (x, y) => tf.matMul(x, y, true, true))).toBeLessThan(3e-6);
  });

  const axes = [undefined, 0, 1, -1, [0, 1], [0, 2], [0, 1, 2], []] as const;
  test.each(axes.flatMap((axis) => [true, false].map((keep) => [axis, keep] as const)))("sum over %j, kept %s", async (axis, keep) => {
    const over = typeof axis === "object" ? [...axis] : axis;
    for (const shape of [
      [3, 5, 7],
      [1, 1, 1],
      [4, 2, 9],
    ])
      expect(await difference([shape], (x) => tf.sum(x, over, keep))).toBeLessThan(3e-6);
  });

  test("sum of an empty axis is zero, of integers an integer", async () => {
    await useBackend("wasm");
    expect(Array.from(tf.sum(tf.zeros([0, 3]), 0).dataSync())).toEqual([0, 0, 0]);
    expect(
      Array.from(
        tf
          .sum(
            tf.tensor2d(
              [
                [1, 2],
                [3, 4],
              ],
              [2, 2],
              "int32",
            ),
            0,
          )
          .dataSync(),
      ),
    ).toEqual([4, 6]);
  });

  test.each([
    [[5, 3], [2], 0],
    [[5, 3], [2, 4], 0],
    [[4], [3], 0],
    [[3, 4, 2], [5], 0],
    [[3, 5, 2], [4], 1],
  ])("gather from %j, ids %j, axis %i", async (shape, idShape, axis) => {
    const count = idShape.reduce((a, b) => a * b, 1);
    const ids = Array.from({ length: count }, (_, i) => (i * 7 + 2) % (shape[axis] as number));
    expect(await difference([shape], (x) => tf.gather(x, tf.tensor(ids, idShape, "int32"), axis))).toBe(0);
  });

  test.each([
    [[7], [2], [4]],
    [
      [5, 6],
      [1, 2],
      [3, 3],
    ],
    [
      [5, 6],
      [1, 0],
      [2, 6],
    ],
    [
      [3, 4, 5],
      [1, 0, 2],
      [2, 4, 3],
    ],
    [
      [2, 3, 4, 5],
      [0, 1, 0, 0],
      [2, 2, 4, 5],
    ],
    [
      [2, 3, 4, 5],
      [1, 1, 1, 1],
      [1, 2, 3, 3],
    ],
    [
      [2, 1, 2, 3, 2],
      [0, 0, 1, 1, 0],
      [2, 1, 1, 2, 2],
    ],
    [
      [3, 4],
      [1, 1],
      [-1, -1],
    ],
    [
      [3, 4],
      [0, 2],
      [3, 0],
    ],
  ])("slice of %j from %j, size %j", async (shape, begin, size) => {
    expect(await difference([shape], (x) => tf.slice(x, begin, size))).toBe(0);
  });

  test.each([0, 1, 2, -1])("split along axis %i, evenly and unevenly", async (axis) => {
    const pieces = (n: number | number[]) => (x: tf.Tensor) => tf.concat(tf.split(x, n, axis).reverse(), axis);
    expect(await difference([[6, 6, 6]], pieces(3))).toBe(0);
    expect(await difference([[6, 6, 6]], pieces([1, 3, 2]))).toBe(0);
  });

  test("slice and split keep integers and booleans, and refuse what is out of range", async () => {
    await useBackend("wasm");
    expect(
      tf
        .slice(
          tf.tensor2d(
            [
              [1, 2],
              [3, 4],
            ],
            [2, 2],
            "int32",
          ),
          [0, 1],
          [2, 1],
        )
        .arraySync(),
    ).toEqual([[2], [4]]);
    expect(tf.split(tf.tensor1d([true, false, false, true]), 2).map((t) => Array.from(t.dataSync()))).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(() => tf.slice(tf.ones([3]), [2], [2])).toThrow();
  });

  test("a clone shares the heap until both are gone", async () => {
    await useBackend("wasm");
    const x = tf.tensor1d([1, 2, 3]);
    const buffers = tf.memory().numDataBuffers;
    const y = tf.clone(x);
    expect(tf.memory().numDataBuffers).toBe(buffers);
    x.dispose();
    tf.tensor1d([7, 7, 7]);
    expect(Array.from(y.dataSync())).toEqual([1, 2, 3]);
    y.dispose();
    expect(tf.memory().numDataBuffers).toBe(buffers);
  });
});

describe("NaN on wasm", () => {
  const ops: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    clipByValue: (x) => tf.clipByValue(x, -1, 1),
    matMul: (x) => tf.matMul(x, tf.ones([2, 2])),
    "matMul, transposed": (x) => tf.matMul(x, tf.ones([2, 2]), false, true),
    linear: (x) => primal.linear(x, tf.ones([2, 2]), tf.ones([2])),
    softmax: (x) => tf.softmax(x),
    max: (x) => tf.max(x, -1),
    gelu: (x) => primal.gelu(x),
    layerNorm: (x) => primal.layerNorm(x, tf.ones([2]), tf.zeros([2]), 1e-5),
    "sum of rows": (x) => tf.sum(x, 0),
    headCrossEntropy: (x) => headCrossEntropy(x, tf.ones([3, 2]), tf.tensor1d([0, 1], "int32")),
    attention: (x) => primal.attention(tf.reshape(tf.tile(x, [1, 3]), [1, 2, 6]), { heads: 1, positions: "none", logN: null }),
  };
  test.each(Object.entries(ops))("passes through %s", async (_, f) => {
    await useBackend("wasm");
    for (const row of [
      [Number.NaN, 1],
      [1, Number.NaN],
    ])
      expect(Array.from(f(tf.tensor2d([row, [1, 2]])).dataSync()).some(Number.isNaN)).toBe(true);
  });
});

describe("a full heap", () => {
  beforeAll(() => useBackend("wasm"));

  test("is an error that names the bytes, and changes no tensor", () => {
    const first = tf.tensor1d([1, 2, 3]);
    const half = 2 ** 29;
    const kept: tf.Tensor[] = [];
    const backend = tf.backend() as unknown as { makeOutput(shape: number[], dtype: "float32"): tf.TensorInfo };
    const fill = (): void => {
      for (let i = 0; i < 9; i++) kept.push(tf.engine().makeTensorFromTensorInfo(backend.makeOutput([half / 4], "float32")));
    };
    expect(fill).toThrow(/no room for 536870912 more bytes/);
    expect(kept.length).toBeGreaterThan(5);
    expect(Array.from(first.dataSync())).toEqual([1, 2, 3]);
    tf.dispose(kept);
    expect(tf.tensor1d([4]).dataSync()[0]).toBe(4);
  });
});
