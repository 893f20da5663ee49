import { useBackend } from "@eitp/engine";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type AnyLossTerm, type HostBatch, lossTerm, type TermUse } from "../src/spec/index.ts";
import { crossEntropy } from "../src/terms/cross-entropy.ts";
import { createTrainer } from "../src/train/trainer.ts";
import { bitsAfter, bitsOf, differing, options, ran, setPoint, sgdOptimizer } from "./support/runs.ts";
import { activity, balance, density, failing, growth, l1, steep } from "./support/terms.ts";

const uses = (): TermUse[] => [
  { term: l1(), weight: 0.1 },
  { term: activity(), weight: (step) => 0.02 + 0.001 * step },
  { term: density(), weight: setPoint("density.entropy", 1) },
  { term: growth(), weight: 0.3, every: 2 },
  { term: balance(), weight: 0.05 },
];

describe.each(["cpu", "wasm"] as const)("%s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test("learns, and reports every quantity it promises", async () => {
    const trainer = await createTrainer(options(uses(), { ledgerEvery: 50 }));
    const first = await (await trainer.step()).record;
    expect(first.step).toBe(1);
    for (const key of [
      "loss",
      "ce.loss",
      "ce.weighted",
      "l1.loss",
      "density.own",
      "density.entropy",
      "growth.rate",
      "balance.loss",
      "gradient.norm",
      "learningRate",
    ])
      expect(first.values[key], key).toSatisfy(Number.isFinite);
    expect(first.values["loss"]).toBeCloseTo(
      Object.entries(first.values).reduce((n, [k, v]) => (k.endsWith(".weighted") ? n + v : n), 0),
      10,
    );
    expect(first.ledger?.map((row) => row.term)).toEqual(["activity", "density", "l1", "balance", "ce", "growth"]);
    expect(first.ledger?.find((row) => row.term === "ce")?.cosine).toBeCloseTo(1, 5);
    await ran(trainer, 98);
    const last = await (await trainer.step()).record;
    expect(last.values["ce.loss"]).toBeLessThan((first.values["ce.loss"] as number) - 0.5);
    trainer.dispose();
  });

  test("weight 0 is absence, bit for bit: each term, all together, also one that is NaN", async () => {
    const without = await bitsAfter(options([]), 6);
    for (const term of [l1(), activity(), density(), growth(), failing(2, Number.NaN)])
      expect(differing(await bitsAfter(options([{ term, weight: 0 }]), 6), without)).toBe(0);
    expect(differing(await bitsAfter(options(uses().map((use) => ({ ...use, weight: () => 0 }))), 6), without)).toBe(0);
    expect(differing(await bitsAfter(options(uses()), 6), without)).toBeGreaterThan(100);
  });

  test("a reader of weight 0 changes nothing of what it reads, also a term over parameters", async () => {
    const read: TermUse[] = [
      { term: l1(), weight: 0.1 },
      { term: density(), weight: 0.1 },
    ];
    for (const parts of [1, 2])
      expect(
        differing(
          await bitsAfter(options([...read, { term: balance(), weight: 0 }], { parts }), 6),
          await bitsAfter(options(read, { parts }), 6),
        ),
      ).toBe(0);
  });

  test("a reader's gradient is whole under micro-batches: a constant reading of a term over parameters", async () => {
    const follower: AnyLossTerm = lossTerm({
      name: "follower",
      units: "1",
      scope: "tokens",
      needs: ["tokens"],
      reads: ["l1.mean"],
      evaluate: ({ read }) => ({ loss: read["l1.mean"] as tf.Tensor }),
    });
    const plain = (uses: readonly TermUse[], parts: number) => bitsAfter(options(uses, { parts, optimizer: sgdOptimizer(1) }), 1);
    const both = new Float32Array(
      (
        await plain(
          [
            { term: l1(), weight: 0 },
            { term: follower, weight: 2 },
          ],
          2,
        )
      ).buffer,
    );
    const direct = new Float32Array((await plain([{ term: l1(), weight: 2 }], 2)).buffer);
    expect(Math.max(...both.map((x, i) => Math.abs(x - (direct[i] as number))))).toBeLessThan(1e-7);
  });

  test("the order of the list does not matter", async () => {
    expect(differing(await bitsAfter(options(uses()), 6), await bitsAfter(options(uses().reverse()), 6))).toBe(0);
  });

  test("the ledger does not touch the run", async () => {
    expect(differing(await bitsAfter(options(uses(), { ledgerEvery: 2 }), 6), await bitsAfter(options(uses()), 6))).toBe(0);
  });

  test("the ledger's rows are the gradients: one term alone has the whole norm", async () => {
    const trainer = await createTrainer(options([{ term: l1(), weight: 0.5 }], { ledgerEvery: 1, optimizer: sgdOptimizer(0) }));
    const { ledger = [], values } = await (await trainer.step()).record;
    // ∂(mean |w|)/∂w = ±1/N for the N weights that are not 0, times the weight of the use.
    const ws = Object.values(trainer.params);
    const size = ws.reduce((n, w) => n + w.size, 0);
    const nonZero = ws.reduce((n, w) => n + w.dataSync().filter((v) => v !== 0).length, 0);
    expect(ledger.find((row) => row.term === "l1")?.gradientNorm).toBeCloseTo((0.5 / size) * Math.sqrt(nonZero), 6);
    const [ce, other] = [ledger.find((row) => row.term === "ce"), ledger.find((row) => row.term === "l1")];
    const expected = Math.sqrt(
      (ce?.gradientNorm ?? 0) ** 2 +
        (other?.gradientNorm ?? 0) ** 2 +
        2 * (ce?.gradientNorm ?? 0) * (other?.gradientNorm ?? 0) * (other?.cosine ?? 0),
    );
    expect(values["gradient.norm"]).toBeCloseTo(expected, 5);
    trainer.dispose();
  });

  test("save, load, go on = never stopped, bit for bit, all states", async () => {
    const straight = await ran(await createTrainer(options(uses())), 11);
    const before = await ran(await createTrainer(options(uses())), 4);
    const saved = await before.save();
    const after = await createTrainer(options(uses()));
    after.load({ ...saved, json: JSON.parse(JSON.stringify(saved.json)), cursor: JSON.parse(JSON.stringify(saved.cursor)) });
    await ran(after, 7);
    expect(differing(bitsOf(after.params), bitsOf(straight.params))).toBe(0);
    const [a, b] = [await after.save(), await straight.save()];
    expect(a.json).toEqual(b.json);
    for (const [path, t] of a.tensors) expect(t.data, path).toEqual(b.tensors.get(path)?.data);
    for (const t of [straight, before, after]) t.dispose();
  });

  test("each saved state matters: zeroing one changes what follows", async () => {
    const before = await ran(await createTrainer(options(uses())), 4);
    const saved = await before.save();
    const straight = bitsOf((await ran(before, 5)).params);
    for (const path of ["terms/growth/state/v", "terms/density/own/moments/0/m", "controllers/setPoint/integral", "moments/0/m"]) {
      const key = [...saved.tensors.keys()].find((k) => k.startsWith(path));
      expect(key, path).toBeDefined();
      const tensors = new Map([...saved.tensors].map(([k, t]) => [k, k === key ? { ...t, data: new Float32Array(t.data.length) } : t]));
      const other = await createTrainer(options(uses()));
      other.load({ ...saved, tensors });
      expect(differing(bitsOf((await ran(other, 5)).params), straight), path).toBeGreaterThan(0);
      other.dispose();
    }
    before.dispose();
  });

  test("a state of another batch shape is refused by its path, and nothing changes", async () => {
    const one = await ran(await createTrainer(options([{ term: growth(), weight: 0.1 }])), 1);
    const saved = await one.save();
    const two = await createTrainer(options([{ term: growth(), weight: 0.1 }], { parts: 2 }));
    const live = tf.memory().numTensors;
    const bits = bitsOf(two.params);
    expect(() => two.load(saved)).toThrow("terms/growth/state/v");
    expect(tf.memory().numTensors).toBe(live);
    expect(differing(bitsOf(two.params), bits)).toBe(0);
    one.dispose();
    two.dispose();
  });

  test("micro-batching changes nothing that scope promises, masked targets and a term's own count included", async () => {
    const masked: AnyLossTerm = lossTerm({
      name: "masked",
      units: "1",
      scope: "tokens",
      needs: ["hidden", "tokens"],
      count: ({ tokens }: HostBatch) => tokens.filter((t) => t < 5).length,
      evaluate: ({ hidden, tokens }) => {
        const mask = tf.cast(tf.less(tokens, 5), "float32");
        return { loss: tf.div(tf.sum(tf.mul(tf.mean(tf.square(hidden[1] ?? hidden[0]), -1), mask)), tf.sum(mask)) };
      },
    });
    const terms = [
      { term: masked, weight: 3 },
      { term: activity(), weight: 3 },
      { term: l1(), weight: 3 },
    ];
    const after = async (parts: number): Promise<Float32Array> =>
      new Float32Array((await bitsAfter(options(terms, { parts, optimizer: sgdOptimizer(1) }), 1)).buffer);
    const start = new Float32Array((await bitsAfter(options(terms), 0)).buffer);
    const [one, four] = [await after(1), await after(4)];
    const step = Math.hypot(...one.map((x, i) => x - (start[i] as number)));
    expect(Math.hypot(...one.map((x, i) => x - (four[i] as number)))).toBeLessThan(1e-5 * step);
  });

  test("no tensor is left behind, at equal phase of all cadences, nor after dispose", async () => {
    const start = tf.memory().numTensors;
    const trainer = await ran(await createTrainer(options(uses(), { ledgerEvery: 3, parts: 2 })), 6);
    const counts: number[] = [];
    for (let i = 0; i < 12; i++) {
      await ran(trainer, 1);
      counts.push(tf.memory().numTensors);
    }
    expect(counts.slice(0, 6)).toEqual(counts.slice(6));
    trainer.dispose();
    expect(tf.memory().numTensors).toBe(start);
  });

  test("a term that throws leaves nothing behind and changes nothing", async () => {
    const bad: AnyLossTerm = {
      ...activity(),
      name: "bad",
      evaluate: (i) => {
        if (i.step === 2) throw new Error("boom");
        return activity().evaluate(i, null);
      },
    };
    const trainer = await ran(await createTrainer(options([{ term: bad, weight: 1 }, ...uses()])), 2);
    const [live, bits] = [tf.memory().numTensors, bitsOf(trainer.params)];
    await expect(trainer.step()).rejects.toThrow("boom");
    expect(tf.memory().numTensors).toBe(live);
    expect(differing(bitsOf(trainer.params), bits)).toBe(0);
    expect(trainer.completed).toBe(2);
    trainer.dispose();
  });

  test.each([
    ["a loss that is NaN", () => failing(2, Number.NaN)],
    ["a loss that is infinite", () => failing(2, Number.POSITIVE_INFINITY)],
    ["a gradient that is NaN", () => steep(2)],
  ])("%s changes nothing, and the run stands still", async (_name, make) => {
    const trainer = await ran(await createTrainer(options([{ term: make(), weight: 1 }, ...uses()])), 2);
    const saved = await trainer.save();
    expect((await (await trainer.step()).record).healthy).toBe(false);
    expect((await (await trainer.step()).record).healthy).toBe(false);
    const after = await trainer.save();
    for (const [path, t] of saved.tensors) expect(after.tensors.get(path)?.data, path).toEqual(t.data);
    trainer.dispose();
  });

  test("skipping: the bad step changes nothing, the run goes on", async () => {
    const trainer = await ran(await createTrainer(options([{ term: failing(2, Number.NaN), weight: 1, onNonFinite: "skip" }])), 2);
    const bits = bitsOf(trainer.params);
    const bad = await (await trainer.step()).record;
    expect([bad.healthy, bad.values["skipped"]]).toEqual([true, 1]);
    expect(differing(bitsOf(trainer.params), bits)).toBe(0);
    const good = await (await trainer.step()).record;
    expect(good.values["skipped"]).toBeUndefined();
    expect(differing(bitsOf(trainer.params), bits)).toBeGreaterThan(0);
    trainer.dispose();
  });

  test("held gradients repeat between their steps and are part of the saved run", async () => {
    const use: TermUse = { term: l1(), weight: 2, every: 3, between: "hold" };
    const every: TermUse = { term: l1(), weight: 2 };
    // Plain descent with |w| ≫ step: sign(w) does not change, so holding equals recomputing.
    const start = new Float32Array((await bitsAfter(options([every]), 0)).buffer);
    const held = new Float32Array((await bitsAfter(options([use], { optimizer: sgdOptimizer(1e-3) }), 3)).buffer);
    const fresh = new Float32Array((await bitsAfter(options([every], { optimizer: sgdOptimizer(1e-3) }), 3)).buffer);
    const zero = new Float32Array(
      (await bitsAfter(options([{ term: l1(), weight: 2, every: 3 }], { optimizer: sgdOptimizer(1e-3) }), 3)).buffer,
    );
    // Weights that start at 0 are left out: their sign appears only after the first step.
    const distance = (a: Float32Array, b: Float32Array): number =>
      Math.hypot(...a.map((x, i) => (start[i] === 0 ? 0 : x - (b[i] as number))));
    expect(distance(held, fresh)).toBeLessThan(0.05 * distance(zero, fresh));
    expect(distance(start, fresh)).toBeGreaterThan(0);
    const a = await ran(await createTrainer(options([use])), 5);
    const b = await createTrainer(options([use]));
    b.load(await a.save());
    await ran(a, 4);
    await ran(b, 4);
    expect(differing(bitsOf(a.params), bitsOf(b.params))).toBe(0);
    a.dispose();
    b.dispose();
  });

  test("from and until gate the loss, not the own parameters", async () => {
    const trainer = await ran(await createTrainer(options([{ term: density(), weight: 1, from: 4 }])), 3);
    const early = bitsOf(trainer.params);
    expect(differing(early, await bitsAfter(options([]), 3))).toBe(0);
    const state = trainer.stateOf("density") as { readonly mean: tf.Tensor };
    expect(state.mean.dataSync().some((v) => v !== 0)).toBe(true);
    trainer.dispose();
  });
});

describe("what does not fit is refused before the first step", () => {
  beforeAll(async () => {
    await useBackend("cpu");
  });
  const refuses = async (terms: readonly TermUse[], message: string): Promise<void> => {
    await expect(createTrainer({ ...options([]), terms })).rejects.toThrow(message);
  };
  test("two uses of one name", () =>
    refuses(
      [
        { term: l1(), weight: 1 },
        { term: l1(), weight: 2 },
      ],
      "two uses are named 'l1'",
    ));
  test("unknown reads", () => refuses([{ term: balance(), weight: 1 }], "reads 'density.entropy'"));
  test("a cycle", () => {
    const cyclic = (name: string, reads: string): AnyLossTerm => ({ ...activity(), name, reads: [reads] });
    return refuses(
      [
        { term: cyclic("a", "b.x"), weight: 1 },
        { term: cyclic("b", "a.x"), weight: 1 },
      ],
      "cycle: a → b → a",
    );
  });
  test("NaN weight", () => refuses([{ term: l1(), weight: Number.NaN }], "weight of 'l1' is NaN"));
  test("every 0", () => refuses([{ term: l1(), weight: 1, every: 0 }], "`every` of 'l1' is 0"));
  test("hold outside params", () => refuses([{ term: activity(), weight: 1, between: "hold" }], 'between: "hold"'));
  test("an input the model lacks", () => refuses([{ term: { ...activity(), needs: ["gates" as never] }, weight: 1 }], "needs 'gates'"));
  test("a controller that reads nobody", () =>
    refuses([{ term: crossEntropy(), weight: setPoint("nobody.loss", 1) }], "reads 'nobody.loss'"));
  test("a token id out of range names position and id", async () => {
    const given = options([]);
    const dataset = {
      ...given.dataset,
      next: async (cursor: never) => {
        const got = await given.dataset.next(cursor);
        got.batch.tokens[7] = 99;
        return got;
      },
    };
    const trainer = createTrainer({ ...given, dataset });
    await expect(trainer.then((t) => t.step())).rejects.toThrow("token id 99 at sequence 1, position 2");
  });
});
