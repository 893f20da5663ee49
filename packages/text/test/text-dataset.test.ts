import type { AnyDataset, HostBatch, Saved } from "@eitp/core/spec";
import { counter } from "@eitp/engine/random";
import { describe, expect, test } from "vitest";
import { bytes, datasetFromText, limitTokens, memoryTokens, sliceTokens, type TextDatasetOptions, textDataset } from "../src/index.ts";
import { rngOf } from "./rng.ts";

const range = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
const dataOf = (count: number, options: Partial<TextDatasetOptions> = {}) =>
  textDataset({ tokens: memoryTokens(range(count)), shape: { sequences: 2, length: 4 }, ...options });

/** As a trainer prefetches: `depth` batches are asked for ahead, the cursor of the one in use is saved. */
async function* ahead(data: AnyDataset, from: Saved, depth: number): AsyncGenerator<{ batch: HostBatch; cursor: Saved }> {
  const queue: Promise<{ batch: HostBatch; cursor: Saved }>[] = [];
  let last: Promise<{ cursor: Saved }> = Promise.resolve({ cursor: from });
  for (;;) {
    while (queue.length < depth) {
      const next = last.then(({ cursor }) => data.next(cursor));
      queue.push(next);
      last = next;
    }
    yield await (queue.shift() as Promise<{ batch: HostBatch; cursor: Saved }>);
  }
}
async function take(data: AnyDataset, from: Saved, count: number, depth = 1): Promise<{ rows: number[][]; cursor: Saved }> {
  const rows: number[][] = [];
  let cursor = from;
  let taken = 0;
  for await (const item of ahead(data, from, depth)) {
    rows.push([...item.batch.tokens, ...item.batch.targets]);
    cursor = item.cursor;
    if (++taken === count) break;
  }
  return { rows, cursor };
}
const startsOf = (rows: number[][]): number[] => rows.flatMap((row) => [row[0] ?? -1, row[4] ?? -1]);

describe("textDataset", () => {
  test("known answer: targets are the tokens one later, in text order when ordered", async () => {
    const data = dataOf(13, { order: "ordered" });
    const { batch, cursor } = await data.next(data.start(rngOf(0)));
    expect([...batch.tokens]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([...batch.targets]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const second = await data.next(cursor);
    expect([...second.batch.tokens]).toEqual([8, 9, 10, 11, 0, 1, 2, 3]);
    expect(second.cursor).toMatchObject({ epoch: 1, at: 1 });
  });
  test("known answer: seed 1, 21 tokens, windows of 4", async () => {
    const data = dataOf(21);
    const { rows, cursor } = await take(data, data.start(rngOf(1)), 4);
    expect(startsOf(rows)).toEqual([9, 1, 13, 5, 15, 11, 7, 3]);
    expect(cursor).toMatchObject({ epoch: 2, at: 0 });
  });
  test.each([5, 6, 8, 9, 100, 101, 102, 103])("every window exactly once per epoch, %i tokens", async (count) => {
    const data = dataOf(count, { shape: { sequences: 1, length: 4 } });
    let cursor = data.start(rngOf(7));
    for (let epoch = 0; epoch < 3; epoch++) {
      const starts: number[] = [];
      while (cursor.epoch === epoch) {
        const next = await data.next(cursor);
        starts.push(next.batch.tokens[0] ?? -1);
        cursor = next.cursor;
      }
      const sorted = [...starts].sort((a, b) => a - b);
      const offset = sorted[0] ?? -1;
      expect(sorted).toEqual(sorted.map((_, i) => offset + 4 * i));
      expect(offset).toBeLessThan(4);
      // No further window of 4 tokens and a target fits behind the last one.
      expect((sorted.at(-1) ?? 0) + 4 + 4 + 1).toBeGreaterThan(count);
    }
  });
  test("epochs differ in order and in offset", async () => {
    const data = dataOf(401, { shape: { sequences: 50, length: 4 } });
    const { rows } = await take(data, data.start(rngOf(7)), 8);
    const offsets = new Set(rows.map((row) => (row[0] ?? 0) % 4));
    expect(offsets.size).toBeGreaterThan(1);
    expect(new Set(rows.map(String)).size).toBe(8);
  });
  test("prefetch never shows in the saved cursor", async () => {
    const data = dataOf(31);
    const whole = await take(data, data.start(rngOf(4)), 20);
    const first = await take(data, data.start(rngOf(4)), 9, 3);
    const rest = await take(data, first.cursor, 11, 4);
    expect([...first.rows, ...rest.rows]).toEqual(whole.rows);
  });
  test.each(["epochs", "random", "ordered"] as const)("%s: a cursor that went through JSON goes on identically", async (order) => {
    const data = dataOf(61, { order });
    const whole = await take(data, data.start(rngOf(4)), 12);
    const first = await take(data, data.start(rngOf(4)), 5);
    const rest = await take(data, JSON.parse(JSON.stringify(first.cursor)) as Saved, 7);
    expect([...first.rows, ...rest.rows]).toEqual(whole.rows);
  });
  test.each(["epochs", "random"] as const)("%s: another seed gives another order, a fixed seed does not care", async (order) => {
    const data = dataOf(201, { order });
    const [a, b] = [await take(data, data.start(rngOf(1)), 5), await take(data, data.start(rngOf(2)), 5)];
    expect(a.rows).not.toEqual(b.rows);
    const fixed = dataOf(201, { order, seed: 5 });
    const [c, d] = [await take(fixed, fixed.start(rngOf(1)), 5), await take(fixed, fixed.start(rngOf(2)), 5)];
    expect(c.rows).toEqual(d.rows);
  });
  test("random windows reach the first and the last place and nothing beyond", async () => {
    const data = dataOf(8, { order: "random", shape: { sequences: 100, length: 4 } });
    const { batch } = await data.next(data.start(rngOf(1)));
    const starts = Array.from({ length: 100 }, (_, i) => batch.tokens[4 * i]);
    expect([...new Set(starts)].sort()).toEqual([0, 1, 2, 3]);
  });
  test("targets across documents can be left out", async () => {
    const tokens = memoryTokens(range(9), [0, 3, 8]);
    const of = async (ignoreAcrossDocuments: boolean): Promise<number[]> => {
      const data = textDataset({ tokens, shape: { sequences: 2, length: 4 }, order: "ordered", ignoreAcrossDocuments });
      return [...(await data.next(data.start(rngOf(0)))).batch.targets];
    };
    expect(await of(false)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await of(true)).toEqual([1, 2, -1, 4, 5, 6, 7, -1]);
  });
  test("the fingerprint tells content, shape and options apart, and nothing else", () => {
    const prints = [
      dataOf(21),
      dataOf(22),
      dataOf(21, { shape: { sequences: 1, length: 4 } }),
      dataOf(21, { order: "random" }),
      dataOf(21, { ignoreAcrossDocuments: true }),
      dataOf(21, { tokens: memoryTokens(range(21).fill(7, 20)) }),
      dataOf(21, { tokens: memoryTokens(range(21), [0, 4]) }),
    ].map((data) => data.fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expect(dataOf(21).fingerprint).toBe(dataOf(21).fingerprint);
  });
  test("a text shorter than one context names what is needed and found", () => {
    expect(() => dataOf(4)).toThrow("one context of 4 needs 5 tokens, found 4");
    expect(() => dataOf(21, { shape: { sequences: 0, length: 4 } })).toThrow("shape.sequences must be a positive integer, not 0");
    expect(() => dataOf(21, { seed: -1 })).toThrow("not -1");
    expect(() => dataOf(21, { order: "epoch" as never })).toThrow('must be "epochs", "random" or "ordered", not "epoch"');
    const { startsIn: _, ...unaware } = memoryTokens(range(9));
    expect(() => dataOf(9, { tokens: unaware, ignoreAcrossDocuments: true })).toThrow("knows where documents start");
  });
});

describe("token sources", () => {
  test("slices and limits shift positions and documents", async () => {
    const slice = sliceTokens(memoryTokens(range(10), [0, 3, 8]), 2, 9);
    expect([slice.length, ...(await slice.read(1, 3))]).toEqual([7, 3, 4, 5]);
    expect(slice.startsIn?.(0, 7)).toEqual([1, 6]);
    expect(limitTokens(slice, 3).length).toBe(3);
    expect(limitTokens(slice, 30)).toBe(slice);
    expect(() => slice.read(5, 3)).toThrow("Tokens 5 to 8 were asked for, but the source has 7");
  });
  test("datasetFromText ends every document with the tokenizer's end-of-text", async () => {
    const data = datasetFromText(["ab", "c"], bytes({ endOfText: true }), {
      shape: { sequences: 1, length: 4 },
      order: "ordered",
      ignoreAcrossDocuments: true,
    });
    const { batch } = await data.next(data.start(rngOf(0)));
    expect([...batch.tokens]).toEqual([97, 98, 256, 99]);
    expect([...batch.targets]).toEqual([98, 256, -1, 256]);
  });
  test("the counter that the cursor's seed names is the whole seed", () => {
    expect(counter(2 ** 40).bits(0)).not.toBe(counter(0).bits(0));
  });
});
