import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type AttentionOptions, counterRng, type DualTensor, dual, type Ops, primal, useBackend, valueAndGrad } from "../src/index.ts";

// Letters: B sequences, T tokens, D width, H heads.
const rng = counterRng(5);
const normal = (name: string, shape: readonly number[]): tf.Tensor => rng.fold(name).normal(shape);
const shapes = [
  { B: 1, T: 1, D: 2, H: 1 },
  { B: 2, T: 5, D: 6, H: 3 },
  { B: 1, T: 7, D: 10, H: 1 },
  { B: 3, T: 4, D: 9, H: 3 },
] as const;
type Shape = (typeof shapes)[number];

interface Operation {
  readonly input: (s: Shape) => number[];
  apply<T>(ops: Ops<T>, x: T, s: Shape): T;
}
const plain = ({ B, T, D }: Shape): number[] => [B, T, D];
const packed = ({ B, T, D }: Shape): number[] => [B, T, 3 * D];
const attentionWith = (options: Omit<AttentionOptions, "heads">, masked = false): Operation => ({
  input: packed,
  apply: (ops, x, { B, T, H }) =>
    ops.attention(x, { heads: H, ...options, ...(masked ? { dropout: rng.fold("drop").mask([B, H, T, T], 0.6) } : {}) }),
});

const operations: Record<string, Operation> = {
  "constant plus x": { input: plain, apply: (ops, x, s) => ops.add(ops.constant(normal("c", plain(s))), x) },
  "x plus x": { input: plain, apply: (ops, x) => ops.add(x, x) },
  scale: { input: plain, apply: (ops, x) => ops.scale(x, -1.5) },
  gate: { input: plain, apply: (ops, x, { D }) => ops.gate(x, normal("gate", [D])) },
  linear: { input: plain, apply: (ops, x, { D }) => ops.linear(x, normal("w", [D, 5]), normal("b", [5])) },
  "linear, transposed, no bias": { input: plain, apply: (ops, x, { D }) => ops.linear(x, normal("w", [5, D]), null, true) },
  layerNorm: { input: plain, apply: (ops, x, { D }) => ops.layerNorm(x, normal("w", [D]), normal("b", [D]), 1e-3) },
  gelu: { input: plain, apply: (ops, x) => ops.gelu(x) },
  "attention, no positions": attentionWith({ positions: "none", logN: null }),
  "attention, alibi": attentionWith({ positions: "alibi", logN: null }),
  "attention, logN and dropout": attentionWith({ positions: "learned", logN: 8 }, true),
  probabilities: { input: packed, apply: (ops, x, { H }) => ops.attentionProbabilities(x, { heads: H, positions: "none", logN: 4 }) },
  shift: { input: plain, apply: (ops, x) => ops.shift(x) },
  "a block": {
    input: plain,
    apply: (ops, x, { D, H }) => {
      const n = ops.layerNorm(x, normal("lw", [D]), normal("lb", [D]), 1e-3);
      const a = ops.attention(ops.linear(n, normal("qkv", [D, 3 * D]), normal("qb", [3 * D])), {
        heads: H,
        positions: "alibi",
        logN: null,
      });
      return ops.add(x, ops.gelu(ops.linear(a, normal("o", [D, D]), null)));
    },
  },
};
const rotary: Operation = attentionWith({ positions: "rotary", logN: null });
const cases = [
  ...Object.entries(operations).flatMap(([name, operation]) => shapes.map((s) => [name, s, operation] as const)),
  ...shapes.filter(({ D, H }) => (D / H) % 2 === 0).map((s) => ["attention, rotary", s, rotary] as const),
];

const norm = (x: tf.Tensor): number => tf.norm(x).dataSync()[0] as number;
/** Distance relative to the larger norm; 0 where both vanish. */
const apart = (a: tf.Tensor, b: tf.Tensor): number => norm(tf.sub(a, b)) / Math.max(norm(a), norm(b), 1e-3);
const forward = (operation: Operation, s: Shape, x: tf.Tensor, v: tf.Tensor): DualTensor =>
  operation.apply(dual, { value: x, tangent: v }, s);

describe.each(["cpu", "wasm"])("operations on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(cases)(
    "%s %j: the dual's value has the primal's bits, its tangent is the difference quotient and the adjoint of the gradient",
    (_, s, operation) => {
      tf.tidy(() => {
        const [x, v] = [normal("x", operation.input(s)), normal("v", operation.input(s))];
        const f = (x: tf.Tensor): tf.Tensor => operation.apply(primal, x, s);
        const { value, tangent } = forward(operation, s, x, v);
        expect(value.dataSync()).toEqual(f(x).dataSync());
        expect(tangent?.shape).toEqual(value.shape);
        const at = (step: number): tf.Tensor => f(tf.add(x, tf.mul(v, step)));
        const quotient = tf.div(tf.sub(at(5e-3), at(-5e-3)), 1e-2);
        expect(apart(tangent as tf.Tensor, quotient)).toBeLessThan(3e-3);
        const u = normal("u", value.shape);
        const pulled = valueAndGrad(({ x }) => tf.sum(tf.mul(f(x), u)), { x }).grads.x;
        const [left, right] = [tf.sum(tf.mul(u, tangent as tf.Tensor)), tf.sum(tf.mul(pulled, v))].map(
          (t) => t.dataSync()[0] as number,
        ) as [number, number];
        expect(Math.abs(left - right)).toBeLessThan(2e-5 * Math.max(1, norm(pulled) * norm(v)));
      });
    },
  );

  test.each(Object.entries(operations))("%s: a null tangent stays null", (name, operation) => {
    const s = shapes[1];
    const result = operation.apply(dual, dual.constant(normal("x", operation.input(s))), s);
    expect(result.tangent, name).toBeNull();
    expect(dual.value(result).dataSync()).toEqual(operation.apply(primal, normal("x", operation.input(s)), s).dataSync());
  });

  test("a loss of a tangent has the right gradient", () => {
    const [s, block] = [shapes[1], operations["a block"] as Operation];
    const [x, v, w] = [normal("x", plain(s)), normal("v", plain(s)), normal("direction", plain(s))];
    const loss = (x: tf.Tensor): tf.Tensor => tf.log(tf.sum(tf.square(forward(block, s, x, v).tangent as tf.Tensor)));
    const exact = tf.sum(tf.mul(valueAndGrad(({ x }) => loss(x), { x }).grads.x, w)).dataSync()[0] as number;
    const at = (step: number): number => loss(tf.add(x, tf.mul(w, step))).dataSync()[0] as number;
    expect(Math.abs(exact - (at(5e-3) - at(-5e-3)) / 1e-2)).toBeLessThan(5e-3 * Math.max(1, Math.abs(exact)));
  });

  test("parameters of linear and layerNorm get the gradient of finite differences", () => {
    const params = { w: normal("w", [6, 4]), b: normal("b", [4]), g: normal("g", [6]), h: normal("h", [6]) };
    const [x, c] = [normal("x", [3, 5, 6]), normal("c", [3, 5, 4])];
    const f = (p: typeof params): tf.Tensor => tf.sum(tf.mul(c, primal.linear(primal.layerNorm(x, p.g, p.h, 1e-5), p.w, p.b)));
    const { grads } = valueAndGrad(f, params);
    for (const key of ["w", "b", "g", "h"] as const) {
      const v = normal(`direction ${key}`, params[key].shape);
      const at = (step: number): number => f({ ...params, [key]: tf.add(params[key], tf.mul(v, step)) }).dataSync()[0] as number;
      const exact = tf.sum(tf.mul(grads[key], v)).dataSync()[0] as number;
      expect(Math.abs(exact - (at(1e-2) - at(-1e-2)) / 2e-2)).toBeLessThan(2e-3 * Math.max(1, Math.abs(exact)));
    }
  });
});

test.each(cases)("%s %j: wasm equals cpu, forward and backward", async (_, s, operation) => {
  const on = async (name: string): Promise<number[][]> => {
    await useBackend(name);
    return tf.tidy(() => {
      const x = normal("x", operation.input(s));
      const y = operation.apply(primal, x, s);
      const gradient = valueAndGrad(({ x }) => tf.sum(tf.mul(operation.apply(primal, x, s), normal("u", y.shape))), { x }).grads.x;
      return [y, gradient].map((t) => Array.from(t.dataSync()));
    });
  };
  const [cpu, wasm] = [await on("cpu"), await on("wasm")];
  for (const [i, expected] of cpu.entries()) {
    const scale = Math.max(1, ...expected.map(Math.abs));
    expect(Math.max(...expected.map((x, j) => Math.abs(x - (wasm[i]?.[j] as number)))) / scale).toBeLessThan(1e-5);
  }
});

test("gelu is the tanh form: known answers of PyTorch", () => {
  const x = tf.tensor1d([-3, -1, -0.5, 0, 0.5, 1, 3]);
  const known = [-0.00363739, -0.158808, -0.15428597, 0, 0.345714, 0.841192, 2.9963626];
  for (const [i, y] of Array.from(primal.gelu(x).dataSync()).entries()) expect(y).toBeCloseTo(known[i] as number, 6);
});
