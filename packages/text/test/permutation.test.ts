import { counter } from "@eitp/engine/random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { permutation } from "../src/data/permutation.ts";

const all = (size: number, seed: number): number[] => Array.from({ length: size }, (_, i) => permutation(size, counter(seed))(i));

describe("permutation", () => {
  test("is bijective for any size and key", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(), (size, seed) => {
        const to = permutation(size, counter(seed));
        expect(new Set(Array.from({ length: size }, (_, i) => to(i))).size).toBe(size);
        expect(Array.from({ length: size }, (_, i) => to(i)).every((x) => x >= 0 && x < size)).toBe(true);
      }),
    );
  });
  test("known answer: the order of ten under key 1 stays for ever", () => {
    expect(all(10, 1)).toEqual([9, 3, 2, 0, 1, 5, 4, 7, 6, 8]);
  });
  test("places are uniform: each of 8 indices lands on each of 8 places about equally often over 4000 keys", () => {
    const counts = new Float64Array(64);
    for (let seed = 0; seed < 4000; seed++)
      for (const [from, to] of all(8, seed).entries()) counts[from * 8 + to] = (counts[from * 8 + to] ?? 0) + 1;
    // 49 degrees of freedom, because rows and columns sum to 4000: mean 49, deviation 10.
    const chiSquare = counts.reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
    expect(chiSquare).toBeGreaterThan(20);
    expect(chiSquare).toBeLessThan(95);
  });
  test("works beyond 32 bits", () => {
    const size = 2 ** 40 + 12345;
    const to = permutation(size, counter(3));
    const places = Array.from({ length: 200 }, (_, i) => to(size - 1 - i));
    expect(new Set(places).size).toBe(200);
    expect(places.every((x) => x >= 0 && x < size)).toBe(true);
    expect(Math.max(...places)).toBeGreaterThan(2 ** 39);
  });
});
