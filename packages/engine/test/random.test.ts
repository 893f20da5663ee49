import { describe, expect, test } from "vitest";
import { counter, threefry2x32 } from "../src/random.ts";

describe("threefry2x32, 20 rounds", () => {
  // Known answers of Random123 1.14, tests/kat_vectors.
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("key %j counter %j", (key, at, answer) => {
    expect(threefry2x32(key[0], key[1], at[0], at[1])).toEqual(answer);
  });
});

describe("a counter", () => {
  const n = 20_000;
  const take = (f: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => f(i));
  const moment = (xs: readonly number[], k: number): number => xs.reduce((a, x) => a + x ** k, 0) / xs.length;
  const correlation = (a: readonly number[], b: readonly number[]): number => a.reduce((s, x, i) => s + x * (b[i] as number), 0) / n;

  test("is a pure function of seed, purposes and counter", () => {
    const again = (): number =>
      counter(5)
        .fold("data")
        .fold(17)
        .uniform(2 ** 40 + 3);
    expect(again()).toBe(again());
    const seen = [
      counter(5),
      counter(6),
      counter(5 + 2 ** 32),
      counter(5).fold("a"),
      counter(5).fold("b"),
      counter(5).fold(1),
      counter(5).fold(2 ** 32 + 1),
    ];
    expect(new Set(seen.map((c) => c.bits(0))).size).toBe(seen.length);
  });

  test("folding gives streams independent of the parent and of each other", () => {
    const root = counter(3);
    const streams = [root, root.fold("a"), root.fold("ab"), root.fold(0), root.fold(1), root.fold(0).fold(0)].map((c) =>
      take((i) => c.gaussian(i)),
    );
    for (const [i, a] of streams.entries())
      for (const b of streams.slice(i + 1)) expect(Math.abs(correlation(a, b))).toBeLessThan(4 / Math.sqrt(n));
    const folds = new Set(Array.from({ length: 2000 }, (_, i) => root.fold(i).bits(0)));
    expect(folds.size).toBeGreaterThan(1998);
  });

  test("uniform has the moments of [0, 1)", () => {
    const xs = take((i) => counter(1).uniform(i));
    expect(Math.min(...xs)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...xs)).toBeLessThan(1);
    for (const k of [1, 2, 3, 4]) expect(Math.abs(moment(xs, k) - 1 / (k + 1))).toBeLessThan(0.01);
  });

  test("gaussian has the moments of a standard normal and its tails", () => {
    const xs = take((i) => counter(2).gaussian(i));
    expect(Math.abs(moment(xs, 1))).toBeLessThan(0.03);
    expect(Math.abs(moment(xs, 2) - 1)).toBeLessThan(0.04);
    expect(Math.abs(moment(xs, 3))).toBeLessThan(0.1);
    expect(Math.abs(moment(xs, 4) - 3)).toBeLessThan(0.25);
    expect(xs.filter((x) => Math.abs(x) > 1.959964).length / n).toBeCloseTo(0.05, 2);
  });
});
