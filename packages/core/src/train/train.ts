import { assert, EitpError } from "@eitp/engine";
import { getBackend, memory } from "@tensorflow/tfjs-core";
import type { EndReason, Hook, Params, Saved, StepRecord } from "../spec/index.ts";
import type { Checkpoint, Progress } from "./checkpoint.ts";
import { checkpointFolder, markBest, saveCheckpoint } from "./checkpoints.ts";
import { evaluate } from "./evaluate.ts";
import { nonFiniteError } from "./failure.ts";
import { leakWatch } from "./leak.ts";
import { checkOptions, type TrainOptions } from "./options.ts";
import type { HealthRecord } from "./record.ts";
import { createTrainer } from "./trainer.ts";

/** How a run ended without an error. */
export interface RunResult {
  readonly reason: Exclude<EndReason, "failed">;
  /** Steps completed. */
  readonly step: number;
  /** Trained parameters; the caller's to dispose. */
  readonly params: Params;
  readonly progress: Progress;
}
/** Records as they come, at least one step late. Leaving the loop early stops the run after its current step, saved. */
export interface Run extends AsyncIterable<StepRecord> {
  /** Runs to the end, whether or not the records were read. */
  finish(): Promise<RunResult>;
}

/**
 * Trains from step 0.
 * @throws EitpError (from the iterator and `finish`) "usage" for options that do not fit, "data", "io", and "nonFinite" naming term and step.
 * @example
 * ```ts
 * const run = train({ model, terms: [{ term: crossEntropy(), weight: 1 }], optimizer: adamW({ learningRate: 1e-3 }), dataset, steps: 100, seed: 1 });
 * for await (const { step, values } of run) console.log(step, values.loss);
 * const { params } = await run.finish();
 * ```
 */
export function train(options: TrainOptions): Run {
  return running(options, null);
}

/**
 * Goes on from a checkpoint; bit-identical to never having stopped, on the same backend.
 * @throws EitpError "usage" where seed or data differ from the checkpoint's, "data" where its state does not fit these options.
 */
export function resume(options: TrainOptions, checkpoint: Checkpoint): Run {
  const { seed, dataset } = options;
  if (checkpoint.seed !== seed) throw new EitpError("usage", `the checkpoint was made with seed ${checkpoint.seed}, not ${seed}`);
  if (checkpoint.dataset !== dataset.fingerprint)
    throw new EitpError(
      "usage",
      `the checkpoint was made on other data (${checkpoint.dataset}, now ${dataset.fingerprint}); resume on the same files and batch shape`,
    );
  return running(options, checkpoint);
}

function running(options: TrainOptions, from: Checkpoint | null): Run {
  checkOptions(options);
  const stop = { asked: false };
  const records = loop(options, from, stop);
  let end: Promise<RunResult> | undefined;
  let result: RunResult | undefined;
  const next = async (): Promise<IteratorResult<StepRecord, undefined>> => {
    const got = await records.next();
    if (!got.done) return got;
    result ??= got.value;
    return { done: true, value: undefined };
  };
  const drain = async (): Promise<RunResult> => {
    while (!(await next()).done);
    assert(result !== undefined, "a run ended without a result");
    return result;
  };
  const finish = (): Promise<RunResult> => {
    end ??= drain();
    return end;
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next,
      return: async () => {
        stop.asked = true;
        await finish();
        return { done: true, value: undefined };
      },
    }),
    finish,
  };
}

/** The training loop, from top to bottom. */
async function* loop(
  options: TrainOptions,
  from: Checkpoint | null,
  stop: { readonly asked: boolean },
): AsyncGenerator<StepRecord, RunResult> {
  const { steps, validation, checkpoint, earlyStopping, platform, signal, model } = options;
  const now = options.now ?? platform?.now ?? (() => performance.now());
  const hooks = [...(options.hooks ?? [])].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
  const room = checkpoint?.folder ?? "checkpoints";
  const watch = leakWatch(options);
  const trainer = await createTrainer({ ...options, now });
  let progress: Progress = from?.progress ?? { best: null, since: 0 };
  let reason: EndReason = "failed";
  let savedAt = -1;
  const { sequences, length } = options.dataset.shape;
  const tokensPerStep = sequences * length * (options.microBatches ?? 1);

  const due = (every: number | undefined): boolean =>
    every !== undefined && (trainer.completed % every === 0 || trainer.completed === steps);
  const told = async (record: StepRecord): Promise<StepRecord> => {
    for (const hook of hooks) if (record.kind !== "step" || record.step % (hook.every ?? 1) === 0) await hook.onRecord(record);
    return record;
  };
  const save = async (): Promise<StepRecord | null> => {
    if (checkpoint === undefined || platform === undefined || savedAt === trainer.completed) return null;
    const { seed, dataset } = options;
    const content = {
      saved: await trainer.save(),
      progress,
      seed,
      dataset: dataset.fingerprint,
      backend: getBackend(),
      config: checkpoint.config ?? null,
    };
    const folder = await saveCheckpoint(platform.store, room, content, checkpoint.keep ?? 2);
    savedAt = trainer.completed;
    return told({ step: trainer.completed, kind: "checkpoint", values: {}, checkpoint: folder });
  };
  const evaluateNow = async (): Promise<StepRecord> => {
    assert(validation !== undefined, "evaluation without validation data");
    const { nll, perplexity, bitsPerByte } = await evaluate(model, trainer.params, validation.dataset, validation);
    const improved = progress.best === null || nll < progress.best.loss - (earlyStopping?.minDelta ?? 0);
    progress = improved ? { best: { step: trainer.completed, loss: nll }, since: 0 } : { ...progress, since: progress.since + 1 };
    if (improved && platform !== undefined && savedAt === trainer.completed) await markBest(platform.store, room, savedAt);
    const values = {
      "heldOut.loss": nll,
      "heldOut.perplexity": perplexity,
      ...(bitsPerByte !== undefined && { "heldOut.bitsPerByte": bitsPerByte }),
    };
    return told({ step: trainer.completed, kind: "evaluation", values });
  };

  try {
    if (from !== null) {
      trainer.load(from.saved);
      savedAt = trainer.completed;
      // Told again: a kill may have come between the checkpoint and its record.
      yield await told({ step: savedAt, kind: "checkpoint", values: {}, checkpoint: checkpointFolder(room, savedAt) });
    }
    // The evaluation that belongs to a checkpoint comes after it, so a resumed run makes it up first.
    if (validation !== undefined && (trainer.completed === 0 || due(validation.every))) yield await evaluateNow();

    let late: Late | null = null;
    /** Turns the step before into a record; a bad one ends the run. */
    const settle = async (): Promise<StepRecord | null> => {
      if (late === null) return null;
      const { record, at, ms } = late;
      late = null;
      const { healthy, ...done } = await record;
      if (!healthy) throw await nonFiniteError(trainer, at, options);
      return told({ ...done, values: { ...done.values, stepMs: ms, tokensPerSecond: (tokensPerStep / ms) * 1000 } });
    };

    // Asked before every step, the first after a resume too: a run that had lost its patience goes no further.
    const patient = (): boolean => earlyStopping === undefined || progress.since < earlyStopping.patience;
    while (trainer.completed < steps && patient() && signal?.aborted !== true && !stop.asked) {
      const at = { step: trainer.completed, cursor: trainer.cursor };
      const start = now();
      const { record } = await trainer.step();
      watch(at.step, memory().numTensors);

      const before = await settle();
      late = { record, at, ms: now() - start };
      if (before !== null) yield before;

      const evaluating = validation !== undefined && due(validation.every);
      if (evaluating || due(checkpoint?.every)) {
        const last = await settle();
        if (last !== null) yield last;
        // Saved first: an evaluation that fails or is killed loses nothing.
        const saved = await save();
        if (saved !== null) yield saved;
        if (evaluating) yield await evaluateNow();
      }
      await platform?.yield();
    }

    const last = await settle();
    if (last !== null) yield last;
    reason = trainer.completed >= steps ? "finished" : signal?.aborted === true ? "aborted" : "stopped";
    const saved = await save();
    if (saved !== null) yield saved;
    return { reason, step: trainer.completed, params: trainer.release(), progress };
  } finally {
    trainer.dispose();
    await ended(hooks, reason);
  }
}

/** A step whose record has not been read yet. */
interface Late {
  readonly record: Promise<HealthRecord>;
  readonly at: { readonly step: number; readonly cursor: Saved };
  readonly ms: number;
}

async function ended(hooks: readonly Hook[], reason: EndReason): Promise<void> {
  for (const hook of hooks) await hook.onEnd?.(reason);
}
