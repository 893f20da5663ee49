import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryTokens, sequentialDataset } from "../src/index.ts";
import { rngOf } from "./rng.ts";

const dataOf = (count: number, sequences: number, length: number) =>
  sequentialDataset({ tokens: memoryTokens(Int32Array.from({ length: count }, (_, i) => i)), shape: { sequences, length } });

describe("sequentialDataset", () => {
  test("known answer: 8 tokens in windows of 3, two to a batch", async () => {
    const data = dataOf(8, 2, 3);
    const first = await data.next(data.start(rngOf(0)));
    const second = await data.next(first.cursor);
    expect([...first.batch.tokens, ...first.batch.targets]).toEqual([0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6]);
    expect([...second.batch.tokens, ...second.batch.targets]).toEqual([6, 0, 0, 0, 0, 0, 7, -1, -1, -1, -1, -1]);
    expect([data.batches, data.targets]).toEqual([2, 7]);
    await expect(data.next(second.cursor)).rejects.toThrow("Batch 2 was asked for, but the data set ends after 2");
  });
  test("every token but the first is a target exactly once, whatever the shape", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 80 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        async (count, sequences, length) => {
          const data = dataOf(count, sequences, length);
          const seen: number[] = [];
          let cursor = data.start(rngOf(0));
          for (let batch = 0; batch < data.batches; batch++) {
            const next = await data.next(cursor);
            expect(next.batch.targets.length).toBe(sequences * length);
            seen.push(...next.batch.targets.filter((target) => target >= 0));
            cursor = next.cursor;
          }
          expect(seen).toEqual(Array.from({ length: count - 1 }, (_, i) => i + 1));
        },
      ),
    );
  });
  test("one token is not enough", () => {
    expect(() => dataOf(1, 1, 4)).toThrow("Evaluation needs at least 2 tokens, found 1");
  });
});
