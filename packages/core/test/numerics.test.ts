import { useBackend } from "@eitp/engine";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { adam } from "../src/optim/index.ts";
import { type AnyGradientTransform, type HostBatch, type LossTerm, lossTerm, type Saved, type TermUse } from "../src/spec/index.ts";
import { countTargets } from "../src/train/batch.ts";
import { dot } from "../src/train/ledger.ts";
import type { TrainerOptions } from "../src/train/options.ts";
import { createTrainer } from "../src/train/trainer.ts";
import { decodeTree, encodeTree } from "../src/train/tree.ts";
import { bitsAfter, bitsOf, differing, options, ran, setPoint, sgdOptimizer } from "./support/runs.ts";
import { activity, type DensityState, density, failing, growth, l1, lost, steep, type WarmState } from "./support/terms.ts";

/** The data set of `given` with the batch of every `next` after the first few changed. */
function changed(given: TrainerOptions, change: (batch: HostBatch, call: number) => HostBatch): TrainerOptions {
  let call = 0;
  const next: TrainerOptions["dataset"]["next"] = async (cursor) => {
    const got = await given.dataset.next(cursor);
    return { ...got, batch: change(got.batch, call++) };
  };
  return { ...given, dataset: { ...given.dataset, next } };
}
const untargeted = (batch: HostBatch): HostBatch => ({ ...batch, targets: batch.targets.map(() => -1) });

describe.each(["cpu", "wasm"] as const)("%s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test("a held gradient that is not finite is not remembered, also where its weight is 0", async () => {
    const root: LossTerm<null, "params"> = lossTerm({
      name: "root",
      units: "1",
      scope: "params",
      needs: ["params"],
      evaluate: ({ params, step }) => {
        const size = tf.sum(tf.square(params["wte.weight"] as tf.Tensor));
        return { loss: tf.sqrt(tf.mul(size, step === 0 ? 0 : 1)) };
      },
    });
    const trainer = await createTrainer(options([{ term: root, weight: 0.1, every: 4, from: 2, between: "hold" }]));
    for (let i = 0; i < 6; i++) {
      const { healthy, values } = await (await trainer.step()).record;
      expect([healthy, values["skipped"]]).toEqual([true, undefined]);
    }
    trainer.dispose();
  });

  test("a skippable use is skipped for its gradient as for its loss; another's bad gradient still ends the run", async () => {
    const verdicts = async (uses: readonly TermUse[]): Promise<string> => {
      const trainer = await createTrainer(options(uses));
      const seen: string[] = [];
      for (let i = 0; i < 4; i++) {
        const { healthy, values } = await (await trainer.step()).record;
        seen.push(healthy ? (values["skipped"] === 1 ? "skipped" : "moved") : "ended");
      }
      trainer.dispose();
      return seen.join(" ");
    };
    const skip = { weight: 1, onNonFinite: "skip" } as const;
    expect(await verdicts([{ term: steep(2), ...skip }])).toBe("moved moved skipped moved");
    expect(
      await verdicts([
        { term: failing(1, Number.NaN), ...skip },
        { term: steep(2), weight: 1 },
      ]),
    ).toBe("moved skipped ended ended");
    expect(await verdicts([{ term: steep(2), weight: 0, onNonFinite: "skip" }])).toBe("moved moved moved moved");
    // Own parameters: without weight, or where skipping is allowed, the term alone stands still.
    expect(await verdicts([{ term: lost(2), weight: 1 }])).toBe("moved moved ended ended");
    expect(await verdicts([{ term: lost(2), weight: 0 }])).toBe("moved moved moved moved");
    expect(await verdicts([{ term: lost(2), ...skip }])).toBe("moved moved moved moved");
  });

  test("a gradient transform may keep the gradients it got, give back the ones it kept, and start at the parameters", async () => {
    const kept = (name: string, gradients: (now: readonly tf.Tensor[], before: readonly tf.Tensor[]) => readonly tf.Tensor[]) =>
      ({
        name,
        init: (params) => params.map((p) => tf.zerosLike(p)),
        apply: (now, before) => ({ gradients: gradients(now, before as readonly tf.Tensor[]), state: now }),
      }) satisfies AnyGradientTransform;
    const difference = kept("difference", (now, before) => now.map((g, i) => tf.sub(g, before[i] as tf.Tensor)));
    const delay = kept("delay", (_now, before) => before);
    const anchor: AnyGradientTransform = {
      name: "anchor",
      init: (params) => params,
      apply: (gradients, state, params) => ({
        gradients: gradients.map((g, i) => tf.add(g, tf.mul(tf.sub(params[i] as tf.Tensor, (state as tf.Tensor[])[i] as tf.Tensor), 0))),
        state,
      }),
    };
    const optimizer = sgdOptimizer(0.1);
    const start = await bitsAfter(options([], { optimizer }), 0);
    // A delay has nothing to give at its first step.
    expect(differing(await bitsAfter(options([], { optimizer, transforms: [delay] }), 1), start)).toBe(0);
    expect(differing(await bitsAfter(options([], { optimizer, transforms: [difference] }), 1), start)).toBeGreaterThan(100);
    for (const transform of [difference, delay, anchor]) {
      const live = tf.memory().numTensors;
      const trainer = await ran(await createTrainer(options([], { transforms: [transform] })), 2);
      const warm = tf.memory().numTensors;
      await ran(trainer, 2);
      expect(tf.memory().numTensors, transform.name).toBe(warm);
      trainer.dispose();
      expect(tf.memory().numTensors, transform.name).toBe(live);
    }
    expect(differing(await bitsAfter(options([], { transforms: [anchor] }), 4), await bitsAfter(options([]), 4))).toBe(0);
  });

  test("a micro-batch without targets proposes no state", async () => {
    const mean: LossTerm<{ readonly m: tf.Tensor }, "nll" | "targets"> = lossTerm({
      name: "mean",
      units: "nats",
      scope: "tokens",
      needs: ["nll", "targets"],
      count: countTargets,
      init: () => ({ m: tf.scalar(1) }),
      // 0/0 where nothing is targeted.
      evaluate: ({ nll, targets }) => {
        const loss = tf.div(tf.sum(nll), tf.sum(tf.cast(tf.greaterEqual(targets, 0), "float32")));
        return { loss, next: { m: loss } };
      },
    });
    const given = changed(options([{ term: mean, weight: 0 }], { parts: 2 }), (batch, call) => (call === 2 ? untargeted(batch) : batch));
    const trainer = await createTrainer(given);
    const { values } = await (await trainer.step()).record;
    expect(values["mean.loss"]).toSatisfy(Number.isFinite);
    expect((trainer.stateOf("mean") as { readonly m: tf.Tensor }).m.dataSync()[0]).toBe(values["mean.loss"]);
    trainer.dispose();
  });

  test("a step without any target has no loss, not a loss of 0", async () => {
    const trainer = await createTrainer(changed(options([], { parts: 2 }), untargeted));
    const { healthy, values } = await (await trainer.step()).record;
    expect([healthy, "loss" in values, "ce.loss" in values, values["gradient.norm"]]).toEqual([true, false, false, 0]);
    trainer.dispose();
  });

  test("a throw in a later micro-batch, or in `update`, leaves no state proposed by an earlier one behind", async () => {
    let calls = 0;
    const second: LossTerm<null, "hidden"> = {
      ...activity(),
      name: "second",
      evaluate: (inputs) => {
        if (++calls === 2) throw new Error("boom");
        return activity().evaluate(inputs, null);
      },
    };
    const last: LossTerm<WarmState, "hidden" | "blocks"> = {
      ...growth(),
      update: () => {
        throw new Error("boom");
      },
    };
    for (const terms of [[growth(), second], [last]]) {
      const uses = terms.map((term) => ({ term, weight: 0.1 }));
      const trainer = await createTrainer(options(uses, { parts: 2 }));
      const { numTensors, numBytes } = tf.memory();
      await expect(trainer.step()).rejects.toThrow("boom");
      expect(tf.memory()).toMatchObject({ numTensors, numBytes });
      trainer.dispose();
    }
  });

  test("a reader's own objective does not move the own parameters of what it reads", async () => {
    const reader: LossTerm<{ readonly w: tf.Tensor }, "tokens"> = lossTerm({
      name: "reader",
      units: "1",
      scope: "set",
      needs: ["tokens"],
      reads: ["density.entropy"],
      init: () => ({ w: tf.scalar(1) }),
      own: { of: ({ w }) => [w], optimizer: adam({ learningRate: 0.1 }) },
      evaluate: ({ read }, { w }) => {
        const value = tf.mul(tf.mul(w, read["density.entropy"] as tf.Tensor), -100);
        return { loss: value, own: value };
      },
    });
    const meanAfter = async (readers: readonly { term: typeof reader; weight: number }[]): Promise<Uint32Array> => {
      const trainer = await ran(await createTrainer(options([{ term: density(), weight: 0.1 }, ...readers])), 3);
      const bits = bitsOf({ mean: (trainer.stateOf("density") as DensityState).mean });
      trainer.dispose();
      return bits;
    };
    expect(differing(await meanAfter([{ term: reader, weight: 0 }]), await meanAfter([]))).toBe(0);
  });

  test("a reader sees the weight of every use: of the other tape, and at rest", async () => {
    const seen: string[] = [];
    const reader: LossTerm<null, "tokens"> = lossTerm({
      name: "reader",
      units: "1",
      scope: "set",
      needs: ["tokens"],
      reads: ["density.entropy"],
      evaluate: ({ read, weights }) => {
        seen.push(Object.keys(weights).sort().join(" "));
        return { loss: tf.square(read["density.entropy"] as tf.Tensor) };
      },
    });
    const uses = [
      { term: l1(), weight: 0.1 },
      { term: activity(), weight: 0.1, every: 2 },
      { term: density(), weight: 0.1 },
      { term: reader, weight: 0.1 },
    ];
    (await ran(await createTrainer(options(uses)), 2)).dispose();
    expect(seen).toEqual(["activity ce density l1 reader", "activity ce density l1 reader"]);
  });

  test("norms of more than 2²⁴ entries keep growing", () => {
    const size = tf.tidy(() => {
      const ones = tf.ones([2 ** 10, 2 ** 15]);
      return dot([ones], [ones]).dataSync()[0];
    });
    expect(size).toBe(2 ** 25);
  });

  test("states come back whatever array backs them and in whatever order their keys were written", async () => {
    const made = { flag: tf.cast(tf.tensor1d([true, false], "bool"), "float32"), at: tf.cast(tf.tensor1d([3, 4], "int32"), "float32") };
    const back = decodeTree({ at: tf.zeros([2]), flag: tf.zeros([2]) } as Saved, await encodeTree(made)) as typeof made;
    expect([[...back.flag.dataSync()], [...back.at.dataSync()]]).toEqual([
      [1, 0],
      [3, 4],
    ]);
    tf.dispose([made, back]);
  });

  test("names that the record uses itself, and features nobody reports, are refused by name", async () => {
    const double: LossTerm<null, "hidden"> = lossTerm({
      name: "double",
      units: "1",
      scope: "tokens",
      needs: ["hidden"],
      evaluate: ({ hidden }) => ({ loss: tf.mean(hidden[0]), metrics: { loss: tf.scalar(1) } }),
    });
    const first = async (given: TrainerOptions): Promise<void> => {
      const live = tf.memory().numTensors;
      const trainer = await createTrainer(given);
      try {
        await trainer.step();
      } finally {
        trainer.dispose();
        expect(tf.memory().numTensors).toBe(live);
      }
    };
    await expect(first(options([{ term: double, weight: 1 }]))).rejects.toThrow("term 'double' reports 'loss', a name the trainer uses");
    await expect(first(options([{ term: density(), weight: setPoint("density.entrpy", 1) }]))).rejects.toThrow(
      "controller 'setPoint' reads 'density.entrpy', which 'density' did not report at the first step (it reported density.loss, density.entropy)",
    );
  });
});
