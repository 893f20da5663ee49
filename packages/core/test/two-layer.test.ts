import { counterRng, untaped, useBackend } from "@eitp/engine";
import { add, linalg, logSumExp, memory, mul, sub, sum, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { InputMap, ModelBatch, Need, Params } from "../src/spec/index.ts";
import { chainDataset, twoLayer } from "../src/testing/index.ts";
import { batchTensors } from "../src/train/batch.ts";

beforeAll(() => useBackend("cpu"));

const model = twoLayer();
const [B, T, D, H, V] = [4, 5, 8, 2, 11];
const batchOf = async (sequences = B): Promise<ModelBatch> => {
  const data = chainDataset({ vocabulary: V, shape: { sequences, length: T } });
  return batchTensors((await data.next(data.start(counterRng(0)))).batch);
};
let made: Params | undefined;
const params = (): Params => {
  made ??= model.init(counterRng(1));
  return made;
};
const apply = (batch: ModelBatch, ...needs: Need[]): Partial<InputMap> =>
  model.apply(params(), batch, new Set(needs), { training: true, rng: counterRng(2) });
const required = <X>(x: X | undefined): X => {
  if (x === undefined) throw new Error("the model did not supply what it was asked for");
  return x;
};
const largest = (x: Tensor): number => Math.max(...x.dataSync().map(Math.abs));

describe("the test model", () => {
  test("supplies what it says, in the documented shapes, and nothing unasked", async () => {
    const batch = await batchOf();
    const all = apply(batch, ...model.supplies);
    expect(Object.keys(all).sort()).toEqual([...model.supplies].sort());
    expect(required(all.logits).shape).toEqual([B, T, V]);
    expect(required(all.nll).shape).toEqual([B, T]);
    expect(required(all.hidden).map((h) => h.shape)).toEqual(Array(3).fill([B, T, D]));
    expect(required(all.attention).map((a) => a.shape)).toEqual(Array(2).fill([B, H, T, T]));
    expect(required(all.normed).map((n) => n.shape)).toEqual(Array(5).fill([B, T, D]));
    expect(Object.keys(apply(batch, "attention"))).toEqual(["attention"]);
    expect(Object.keys(apply(batch))).toEqual([]);
  });

  test("nll is −ln softmax of the logits at the target, 0 where there is none", async () => {
    const batch = await batchOf();
    const { logits, nll, targets } = apply(batch, "logits", "nll", "targets");
    const total = logSumExp(required(logits), -1).dataSync();
    const all = required(logits).dataSync();
    const ids = required(targets).dataSync();
    const got = required(nll).dataSync();
    expect(ids).toContain(-1);
    ids.forEach((id, i) => {
      expect(got[i]).toBeCloseTo(id < 0 ? 0 : (total[i] ?? 0) - (all[i * V + id] ?? 0), 5);
    });
  });

  test("blocks on pairs have the values of the forward, and tangents that finite differences confirm", async () => {
    const inputs = apply(await batchOf(), "hidden", "blocks");
    const [hidden, blocks] = [required(inputs.hidden), required(inputs.blocks)];
    const [start, middle, end] = hidden as readonly Tensor[] as [Tensor, Tensor, Tensor];
    const direction = counterRng(3).normal(start.shape);
    const through = (x: Tensor, v: Tensor) => blocks.reduce((pair, block) => block(pair), { value: x, tangent: v });
    const { value, tangent } = through(start, direction);
    expect(largest(sub(value, end))).toBe(0);
    expect(largest(sub(required(blocks[0])({ value: start, tangent: direction }).value, middle))).toBe(0);
    const h = 1e-2;
    const [up, down] = [through(add(start, mul(direction, h)), direction).value, through(sub(start, mul(direction, h)), direction).value];
    expect(largest(sub(mul(sub(up, down), 1 / (2 * h)), tangent))).toBeLessThan(5e-3 * largest(tangent));
  });

  test("attention is causal and sums to 1", async () => {
    const [first] = required(apply(await batchOf(), "attention").attention);
    const rows = required(first);
    expect(largest(sub(rows, linalg.bandPart(rows, -1, 0)))).toBe(0);
    expect(sum(rows).dataSync()[0]).toBeCloseTo(B * H * T, 3);
  });

  test("its structure names every parameter once, with its shape", () => {
    const json = JSON.stringify(model.structure);
    for (const [name, shape] of Object.entries(model.shape.params)) expect(json).toContain(JSON.stringify({ name, shape }));
    expect(Object.keys(params())).toEqual(Object.keys(model.shape.params));
    expect(Object.values(model.shape.params).reduce((n, s) => n + s.reduce((a, b) => a * b, 1), 0)).toBe(1912);
  });

  test("a forward leaves nothing behind in a tidy", async () => {
    const batch = await batchOf();
    params();
    const before = memory().numTensors;
    tidy(() => {
      untaped(() => apply(batch, ...model.supplies));
    });
    expect(memory().numTensors).toBe(before);
  });
});

describe("chainDataset", () => {
  test("serves the same sequences however they are cut, with fewer targets in the first half", async () => {
    const whole = chainDataset({ vocabulary: V, shape: { sequences: 4, length: T } });
    const cut = chainDataset({ vocabulary: V, shape: { sequences: 2, length: T } });
    const one = await whole.next({ at: 1 });
    const [two, three] = [await cut.next({ at: 2 }), await cut.next({ at: 3 })];
    expect([...two.batch.tokens, ...three.batch.tokens]).toEqual([...one.batch.tokens]);
    const predicted = (x: Int32Array): number => x.filter((id) => id >= 0).length;
    expect([predicted(two.batch.targets), predicted(three.batch.targets)]).toEqual([6, 10]);
    expect(one.cursor).toEqual({ at: 2 });
  });
  test("every target follows from its token by the rule", async () => {
    const { batch } = await chainDataset({ vocabulary: V, shape: { sequences: 8, length: T } }).next({ at: 3 });
    batch.targets.forEach((next, i) => {
      const token = batch.tokens[i] ?? 0;
      if (next >= 0) expect([(3 * token + 1) % V, (3 * token + 2) % V]).toContain(next);
    });
  });
});
