import { EitpError, useBackend } from "@eitp/engine";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { memoryPlatform } from "../src/platform/memory.ts";
import type { EndReason, Hook, Platform, Rng, StepRecord } from "../src/spec/index.ts";
import { chainDataset } from "../src/testing/data.ts";
import { findCheckpoint, stepsIn } from "../src/train/checkpoints.ts";
import type { TrainOptions } from "../src/train/options.ts";
import { type RunResult, resume, train } from "../src/train/train.ts";
import { bitsOf, differing, model, options, type SetPointState, setPoint } from "./support/runs.ts";
import { activity, density, failing, growth, l1, lost, steep } from "./support/terms.ts";

const uses = () => [
  { term: l1(), weight: 0.1 },
  { term: density(), weight: setPoint("density.entropy", 1) },
  { term: growth(), weight: 0.3, every: 2 },
];
const heldOut = () => ({ ...chainDataset({ vocabulary: model.shape.vocabulary, shape: { sequences: 4, length: 5 } }), batches: 3 });
const given = (platform: Platform, more: Partial<TrainOptions> = {}): TrainOptions => ({
  ...options(uses(), { ledgerEvery: 5 }),
  steps: 12,
  platform,
  checkpoint: { every: 4, config: { note: "test" } },
  validation: { dataset: heldOut(), every: 4, bytesPerToken: 2 },
  ...more,
});
async function all(
  run: AsyncIterable<StepRecord> & { finish(): Promise<RunResult> },
): Promise<{ records: StepRecord[]; result: RunResult }> {
  const records: StepRecord[] = [];
  for await (const record of run) records.push(record);
  return { records, result: await run.finish() };
}
const timeless = (records: readonly StepRecord[]): readonly unknown[] =>
  records.map(({ values: { stepMs, tokensPerSecond, ...values }, ledger, ...rest }) => ({
    ...rest,
    values,
    ledger: ledger?.map(({ ms, ...row }) => row),
  }));
const kinds = (records: readonly StepRecord[]): string => records.map((r) => `${r.kind[0]}${r.step}`).join(" ");

describe.each(["cpu", "wasm"] as const)("%s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  test("yields one record a step, saves before it evaluates, leaves nothing but the parameters", async () => {
    const live = tf.memory().numTensors;
    const { records, result } = await all(train(given(memoryPlatform())));
    expect(kinds(records)).toBe("e0 s1 s2 s3 s4 c4 e4 s5 s6 s7 s8 c8 e8 s9 s10 s11 s12 c12 e12");
    expect(result).toMatchObject({ reason: "finished", step: 12 });
    const evaluation = records.at(-1)?.values as { readonly [key: string]: number };
    expect(evaluation["heldOut.bitsPerByte"]).toBeCloseTo((evaluation["heldOut.loss"] as number) / Math.LN2 / 2, 12);
    expect(evaluation["heldOut.perplexity"]).toBeCloseTo(Math.exp(evaluation["heldOut.loss"] as number), 9);
    expect(records.filter((r) => r.ledger !== undefined).map((r) => r.step)).toEqual([1, 6, 11]);
    tf.dispose(Object.values(result.params));
    expect(tf.memory().numTensors).toBe(live);
  });

  test("resumed from any checkpoint = never stopped: bits, records and files", async () => {
    const straight = memoryPlatform();
    const whole = await all(train(given(straight)));
    for (const step of [4, 8, 12]) {
      const platform = memoryPlatform();
      await all(train(given(platform, { checkpoint: { every: 4, keep: 9, config: { note: "test" } } })));
      const { records, result } = await all(resume(given(platform), await findCheckpoint(platform.store, step)));
      expect(differing(bitsOf(result.params), bitsOf(whole.result.params))).toBe(0);
      const from = whole.records.findIndex((r) => r.kind === "checkpoint" && r.step === step);
      expect(timeless(records)).toEqual(timeless(whole.records.slice(from)));
      const [a, b] = [await findCheckpoint(platform.store, "latest"), await findCheckpoint(straight.store, "latest")];
      expect({ ...a, skipped: [] }).toEqual({ ...b, skipped: [] });
    }
  });
});

describe("runs", () => {
  beforeAll(async () => {
    await useBackend("cpu");
  });

  test("two runs of one seed give the same records, another seed others", async () => {
    const run = async (seed: number): Promise<readonly unknown[]> =>
      timeless((await all(train(given(memoryPlatform(), { seed })))).records);
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });

  test("keeps the newest checkpoints and the best", async () => {
    const platform = memoryPlatform();
    // Learning backwards: the first evaluation stays the best.
    const worse = {
      ...options([]).optimizer,
      step: (p: tf.Tensor, g: tf.Tensor, state: never) => ({ parameter: tf.add(p, tf.mul(g, 0.05)), state }),
    };
    await all(train(given(platform, { terms: options([]).terms, steps: 20, optimizer: worse, checkpoint: { every: 4, keep: 2 } })));
    expect(await stepsIn(platform.store, "checkpoints")).toEqual([16, 20]);
    const good = memoryPlatform();
    const { result } = await all(train(given(good, { steps: 20, checkpoint: { every: 4, keep: 1 } })));
    const best = await findCheckpoint(good.store, "best");
    expect(await stepsIn(good.store, "checkpoints")).toContain(best.saved.step);
    expect(best.saved.step).toBe(result.progress.best?.step);
  });

  test.each([
    ["cut short", (bytes: Uint8Array) => bytes.slice(0, bytes.length - 9), "model.safetensors"],
    ["one bit flipped", (bytes: Uint8Array) => bytes.map((b, i) => (i === bytes.length - 5 ? b ^ 1 : b)), "optimizer.safetensors"],
    [
      "one bit flipped in a number",
      (bytes: Uint8Array) => bytes.map((b, i) => (i === new TextDecoder().decode(bytes).indexOf('"step":') + 7 ? b ^ 1 : b)),
      "state.json",
    ],
    ["emptied", () => new Uint8Array(0), "state.json"],
  ])("a newest checkpoint %s falls back to the one before, and says so", async (_how, damage, name) => {
    const platform = memoryPlatform();
    await all(train(given(platform)));
    const files = Object.fromEntries(
      await Promise.all(
        (await platform.store.list("checkpoints/step-00000012")).map(async (file) => [
          file,
          (await platform.store.read(`checkpoints/step-00000012/${file}`)) as Uint8Array,
        ]),
      ),
    ) as { [name: string]: Uint8Array };
    await platform.store.commit("checkpoints/step-00000012", { ...files, [name]: damage(files[name] as Uint8Array) });
    const found = await findCheckpoint(platform.store, "latest");
    expect(found.saved.step).toBe(8);
    expect(found.skipped[0]?.reason).toContain(name);
    await expect(findCheckpoint(platform.store, 12)).rejects.toThrow(name);
  });

  test("a checkpoint of a newer schema, another seed, other data, or other terms is refused", async () => {
    const platform = memoryPlatform();
    await all(train(given(platform)));
    const found = await findCheckpoint(platform.store, "latest");
    expect(() => resume(given(platform, { seed: 4 }), found)).toThrow("seed 3, not 4");
    expect(() => resume(given(platform, { dataset: heldOut(), seed: 3 }), { ...found, dataset: "other" })).toThrow("other data");
    await expect(resume({ ...given(platform), terms: options([{ term: activity(), weight: 1 }]).terms }, found).finish()).rejects.toThrow(
      "'terms'",
    );
    const state = JSON.parse(new TextDecoder().decode(await platform.store.read(`${found.folder}/state.json`))) as object;
    await platform.store.commit("checkpoints/step-00000099", {
      "state.json": new TextEncoder().encode(JSON.stringify({ ...state, schemaVersion: 2 })),
    });
    await expect(findCheckpoint(platform.store, 99)).rejects.toThrow("schema version 2, this version reads up to 1");
  });

  test("leaving the loop stops the run after its step, saved", async () => {
    const platform = memoryPlatform();
    const reasons: EndReason[] = [];
    const hook: Hook = { name: "end", onRecord: () => undefined, onEnd: (reason) => void reasons.push(reason) };
    const run = train(given(platform, { hooks: [hook] }));
    for await (const { step } of run) if (step === 6) break;
    const { reason, step } = await run.finish();
    expect([reason, reasons]).toEqual(["stopped", ["stopped"]]);
    expect((await findCheckpoint(platform.store, "latest")).saved.step).toBe(step);
    const rest = await all(resume(given(platform), await findCheckpoint(platform.store, "latest")));
    const straight = await all(train(given(memoryPlatform())));
    expect(differing(bitsOf(rest.result.params), bitsOf(straight.result.params))).toBe(0);
  });

  test("an abort saves and ends the run", async () => {
    const platform = memoryPlatform();
    const abort = new AbortController();
    const run = train(given(platform, { signal: abort.signal }));
    for await (const { step, kind } of run) if (step === 5 && kind === "step") abort.abort();
    const { reason, step } = await run.finish();
    expect(reason).toBe("aborted");
    expect((await findCheckpoint(platform.store, "latest")).saved.step).toBe(step);
  });

  test("early stopping waits for `patience` evaluations, and counts through a resume", async () => {
    const still = {
      ...options([]).optimizer,
      step: (parameter: tf.Tensor, _g: tf.Tensor, state: never) => ({ parameter: parameter.clone(), state }),
    };
    const more = { optimizer: still, steps: 40, earlyStopping: { patience: 3 } };
    const { result } = await all(train(given(memoryPlatform(), more)));
    // Best at step 0; the evaluations at 4, 8 and 12 do not improve.
    expect(result).toMatchObject({ reason: "stopped", step: 12, progress: { best: { step: 0 }, since: 3 } });
    const platform = memoryPlatform();
    await all(train(given(platform, { ...more, steps: 8 })));
    expect((await all(resume(given(platform, more), await findCheckpoint(platform.store, "latest")))).result.step).toBe(12);
    // The evaluation that ended the run belongs to its last checkpoint, and ends a resumed run as well.
    expect((await all(resume(given(platform, more), await findCheckpoint(platform.store, "latest")))).result).toMatchObject({
      reason: "stopped",
      step: 12,
      progress: { since: 3 },
    });
  });

  test.each([
    ["a NaN loss", () => failing(6, Number.NaN), "the loss of term 'failing' is NaN"],
    ["an infinite loss", () => failing(6, Number.POSITIVE_INFINITY), "the loss of term 'failing' is "],
    ["a NaN gradient", () => steep(6), "the gradient of term 'steep' has norm NaN (loss 0)"],
    ["a NaN gradient at own parameters", () => lost(6), "the gradient at the own parameters of term 'lost' has norm NaN"],
  ])("%s ends the run, names term and step, dumps, and keeps the checkpoint", async (_name, make, message) => {
    const platform = memoryPlatform();
    const live = tf.memory().numTensors;
    const failure: unknown = await train(given(platform, { terms: options([{ term: make(), weight: 1 }]).terms }))
      .finish()
      .catch((error: unknown) => error);
    expect(EitpError.is(failure) && failure.code).toBe("nonFinite");
    expect(String(failure)).toContain(`step 7 is not finite: ${message}`);
    expect(tf.memory().numTensors).toBe(live);
    expect((await findCheckpoint(platform.store, "latest")).saved.step).toBe(4);
    const report = JSON.parse(new TextDecoder().decode(await platform.store.read("dumps/step-00000006/failure.json"))) as {
      readonly culprit: string;
    };
    expect(report.culprit).toContain(message);
  });

  test("a weight that a controller made of a NaN is named, not the gradient it spoils", async () => {
    const controller = setPoint("l1.loss", 1);
    const weight = {
      ...controller,
      observe: (features: never, state: never) => tf.tidy(() => poisoned(controller.observe(features, state))),
    };
    const poisoned = (state: SetPointState): SetPointState => ({ ...state, weight: tf.mul(state.weight, Number.NaN) });
    const terms = options([{ term: l1(), weight }]).terms;
    await expect(train(given(memoryPlatform(), { terms })).finish()).rejects.toThrow(
      "step 2 is not finite: the controller's weight of term 'l1' is NaN",
    );
  });

  test("a parameter that is already NaN is named", async () => {
    const poisoned = { ...model, init: (rng: Rng) => ({ ...model.init(rng), "ln_f.bias": tf.fill([model.shape.width], Number.NaN) }) };
    expect(Object.keys(model.shape.params)).toContain("ln_f.bias");
    const { validation: _none, ...rest } = given(memoryPlatform(), { model: poisoned, terms: options([]).terms });
    await expect(train(rest).finish()).rejects.toThrow("parameter 'ln_f.bias' already holds a value that is not finite, at flat index 0");
  });

  test("a leak is noticed, at equal phase, and named", async () => {
    const kept: tf.Tensor[] = [];
    const leaky = {
      ...activity(),
      evaluate: (inputs: Parameters<ReturnType<typeof activity>["evaluate"]>[0]) => {
        kept.push(tf.keep(tf.scalar(1)));
        return activity().evaluate(inputs, null);
      },
    };
    await expect(train(given(memoryPlatform(), { terms: options([{ term: leaky as never, weight: 1 }]).terms })).finish()).rejects.toThrow(
      "live tensors grow",
    );
    tf.dispose(kept);
  });

  test("a full disk stops the run; the checkpoint before is whole", async () => {
    const platform = memoryPlatform();
    let commits = 0;
    const full: Platform = {
      ...platform,
      store: {
        ...platform.store,
        commit: async (folder, files) => {
          if (folder.includes("step-") && ++commits > 1) throw new EitpError("io", "disk full");
          await platform.store.commit(folder, files);
        },
      },
    };
    await expect(train(given(full)).finish()).rejects.toThrow("disk full");
    expect((await findCheckpoint(platform.store, "latest")).saved.step).toBe(4);
  });

  test.each([
    [{ steps: -1 }, "`steps` is -1"],
    [{ seed: 1.5 }, "`seed` is 1.5"],
    [{ microBatches: 0 }, "`microBatches` is 0"],
    [{ checkpoint: { every: 0 } }, "`checkpoint.every` is 0"],
    [{ earlyStopping: { patience: 0 } }, "`earlyStopping.patience` is 0"],
  ] as const)("%j is refused", (more, message) => {
    expect(() => train(given(memoryPlatform(), more))).toThrow(message);
  });
});
