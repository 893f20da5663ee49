import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type AttentionCache,
  type AttentionOptions,
  alibiSlopes,
  attentionStep,
  counterRng,
  EitpError,
  primal,
  useBackend,
} from "../src/index.ts";
import { attentionReference } from "./reference.ts";

const rng = counterRng(3);
const shapes = [
  { batch: 1, tokens: 1, width: 2, heads: 1 },
  { batch: 2, tokens: 7, width: 12, heads: 3 },
  { batch: 3, tokens: 5, width: 8, heads: 2 },
  { batch: 1, tokens: 33, width: 24, heads: 4 },
];
const kinds: Omit<AttentionOptions, "heads">[] = (["none", "learned", "rotary", "alibi"] as const).flatMap((positions) =>
  [null, 9].map((logN) => ({ positions, logN })),
);
const cases = shapes.flatMap((shape) => kinds.map((kind) => [shape, { heads: shape.heads, ...kind }] as const));
const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((m, x, i) => Math.max(m, Math.abs(x - (b[i] as number))), 0);
};

test("ALiBi slopes: powers of two, and the interleaved rule for twelve heads", () => {
  expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
  expect(alibiSlopes(12)).toEqual([...[1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5].map((i) => 2 ** -i)]);
  expect(alibiSlopes(1)).toEqual([2 ** -8]);
});

describe.each(["cpu", "wasm"])("attention on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(cases)("equals the loops of the definition: %j %j", (shape, options) => {
    const { batch, tokens, width, heads } = shape;
    const qkv = rng.normal([batch, tokens, 3 * width]);
    const dropout = rng.fold("mask").mask([batch, heads, tokens, tokens], 0.7);
    const plain = attentionReference(qkv.dataSync(), shape, options);
    const masked = attentionReference(qkv.dataSync(), shape, options, dropout.dataSync());
    expect(largest(primal.attentionProbabilities(qkv, options).dataSync(), plain.probabilities)).toBeLessThan(2e-6);
    expect(largest(primal.attention(qkv, options).dataSync(), plain.out)).toBeLessThan(1e-5);
    expect(largest(primal.attention(qkv, { ...options, dropout }).dataSync(), masked.out)).toBeLessThan(1e-5);
  });

  test.each(cases)("in steps with a cache equals all at once: %j %j", ({ batch, tokens, width }, options) => {
    const qkv = rng.fold("steps").normal([batch, tokens, 3 * width]);
    const whole = primal.attention(qkv, options).dataSync();
    let cache: AttentionCache | null = null;
    const outs: tf.Tensor[] = [];
    for (let from = 0, t = 1; from < tokens; from += t, t = (t % 3) + 1) {
      const rows = tf.slice(qkv, [0, from, 0], [batch, Math.min(t, tokens - from), 3 * width]);
      const step: ReturnType<typeof attentionStep> = attentionStep(rows, cache, options);
      cache = step.cache;
      outs.push(step.out);
    }
    expect(cache?.keys.shape).toEqual([batch, options.heads, tokens, width / options.heads]);
    expect(largest(tf.concat(outs, 1).dataSync(), whole)).toBeLessThan(1e-5);
  });

  test("leaves nothing behind but its result, in any number of calls", () => {
    const qkv = rng.normal([2, 6, 12]);
    const before = tf.memory().numTensors;
    for (const kind of kinds) for (let i = 0; i < 3; i++) tf.tidy(() => void primal.attention(qkv, { heads: 2, ...kind }));
    expect(tf.memory().numTensors).toBe(before);
  });

  test("refuses widths that do not divide and odd rotary heads, naming the numbers", () => {
    const call = (width: number, heads: number, positions: "none" | "rotary") => () =>
      primal.attention(tf.zeros([1, 2, 3 * width]), { heads, positions, logN: null });
    expect(call(10, 4, "none")).toThrow(/multiple of 4 heads; got \[1,2,30\]/);
    expect(call(6, 2, "rotary")).toThrow(EitpError);
  });
});
