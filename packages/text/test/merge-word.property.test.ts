import fc from "fast-check";
import { expect, test } from "vitest";
import { wordMerger } from "../src/tokenizers/merge-word.ts";
import { noRank, pairTable } from "../src/tokenizers/pair-table.ts";

/** The definition, straight: apply the lowest rank at its leftmost place until nothing applies. */
function reference(ids: readonly number[], merges: readonly (readonly [number, number, number])[]): number[] {
  const word = [...ids];
  for (;;) {
    const rank = merges.findIndex(([left, right]) => word.some((id, at) => id === left && word[at + 1] === right));
    const merge = merges[rank];
    if (merge === undefined) return word;
    word.splice(
      word.findIndex((id, at) => id === merge[0] && word[at + 1] === merge[1]),
      2,
      merge[2],
    );
  }
}

/** Rules as training would give them: each joins two ids known before. */
const rules = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12 }).map((pairs) => {
  const seen = new Set<string>();
  const merges: [number, number, number][] = [];
  for (const [a, b] of pairs) {
    const known = 3 + merges.length;
    const key = `${a % known} ${b % known}`;
    if (!seen.has(key)) merges.push([a % known, b % known, known]);
    seen.add(key);
  }
  return merges;
});

test("words short and long merge as defined", () => {
  const word = fc.oneof(fc.array(fc.nat(2), { maxLength: 20 }), fc.array(fc.nat(2), { minLength: 65, maxLength: 120 }));
  fc.assert(
    fc.property(rules, word, (merges, ids) => {
      const buffer = Int32Array.from(ids);
      const length = wordMerger(pairTable(Int32Array.from(merges.flat())))(buffer, ids.length);
      expect([...buffer.subarray(0, length)]).toEqual(reference(ids, merges));
    }),
    { numRuns: 1000, seed: 42 },
  );
});

test("a pair table knows its pairs, the last rank of a repeated one, and no others", () => {
  const table = pairTable(Int32Array.from([1, 2, 3, 50_000, 50_001, 60_000, 1, 2, 4]));
  expect(table.rank(1, 2)).toBe(2);
  expect(table.result(2)).toBe(4);
  expect(table.result(table.rank(50_000, 50_001))).toBe(60_000);
  expect(table.rank(2, 1)).toBe(noRank);
});
