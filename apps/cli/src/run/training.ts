import { join } from "node:path";
import { type Checkpoint, type Json, type RunResult, resume, type TrainOptions, train } from "@eitp/core";
import { nodePlatform } from "@eitp/core/node";
import type { StepRecord } from "@eitp/core/spec";
import { EitpError } from "@eitp/engine/error";
import type { GptModel, HostParams } from "@eitp/gpt";
import { toParams } from "@eitp/gpt";
import { metricsFile, type RunInfo, type Sample, tensorBoardFile, writeReport, writeRunFile } from "@eitp/lab";
import type { Tokenizer } from "@eitp/text";
import { dispose } from "@tensorflow/tfjs-core";
import type { Config } from "../config/types.ts";
import type { Interruption } from "../output/interrupt.ts";
import type { Output } from "../output/output.ts";
import { progress } from "../output/progress.ts";
import { type Datasets, datasets } from "./datasets.ts";
import { runFiles } from "./folder.ts";
import { optimizerOf, termsOf, transformsOf } from "./objective.ts";
import { sample, sampleCheckpoint } from "./samples.ts";

/** Everything a run needs, from step 0 or from a checkpoint. */
export interface Training {
  readonly folder: string;
  /** Complete: what `config.json` holds. */
  readonly config: Config;
  readonly model: GptModel;
  readonly tokenizer: Tokenizer;
  readonly info: RunInfo;
  /** Start from these instead of fresh parameters. */
  readonly initial: HostParams | null;
  readonly checkpoint: Checkpoint | null;
  readonly output: Output;
  readonly interruption: Interruption;
}
/** How a run ended. */
export interface Outcome {
  readonly folder: string;
  readonly reason: RunResult["reason"];
  readonly step: number;
  readonly result: NonNullable<RunInfo["result"]>;
  /** The newest checkpoint. */
  readonly checkpoint: string;
  readonly report: string;
  readonly samples: readonly Sample[];
  /** Commands worth trying now. */
  readonly next?: readonly string[];
}

/** Trains, logs, samples and reports. The caller holds the lock of the folder. */
export async function runTraining(training: Training): Promise<Outcome> {
  const { folder, config, tokenizer, output, interruption, info } = training;
  try {
    const data = await datasets(folder, config, tokenizer, output, interruption.signal);
    try {
      return await follow(training, data);
    } finally {
      data.close();
    }
  } catch (error) {
    const status = EitpError.is(error) && error.code === "interrupted" ? "aborted" : "failed";
    try {
      await writeRunFile(folder, runFiles.run, { ...info, status });
    } catch (second) {
      // Most likely the same full disk; the first error is the one to tell.
      output.warn(`run.json still says "running": ${second instanceof Error ? second.message : String(second)}`);
    }
    throw error;
  }
}

async function follow(training: Training, data: Datasets): Promise<Outcome> {
  const { folder, config, model, tokenizer, output, checkpoint, info } = training;
  const began = performance.now();
  const options = trainOptions(training, data);
  const run = checkpoint === null ? train(options) : resume(options, checkpoint);
  const shown = progress(output, config.training.steps);
  const seen = summary();
  const due = (step: number): boolean => config.samples.every > 0 && step > 0 && step % config.samples.every === 0;
  const drawn: Sample[] = [];
  try {
    for await (const record of run) {
      shown.record(record);
      seen.record(record);
      if (record.kind === "checkpoint" && due(record.step)) {
        drawn.push(...(await sampleCheckpoint(folder, record.step, config.samples, { model, tokenizer })));
      }
    }
  } finally {
    shown.end();
  }

  const { reason, step, params } = await run.finish();
  const done = reason === "finished" || reason === "stopped";
  if (done && !drawn.some((one) => one.step === step)) {
    drawn.push(...(await sample(folder, step, config.samples, { model, params, tokenizer })));
  }
  dispose(params);
  const result = { ...seen.result(), step, wallSeconds: (performance.now() - began) / 1000 };
  await writeRunFile(folder, runFiles.run, { ...info, status: reason, result });
  const newest = join(folder, runFiles.checkpoints, `step-${String(step).padStart(8, "0")}`);
  const last = drawn.filter((one) => one.step === step);
  return { folder, reason, step, result, checkpoint: newest, report: await writeReport(folder), samples: last };
}

function trainOptions({ folder, config, model, initial, checkpoint, interruption }: Training, data: Datasets): TrainOptions {
  const { training, evaluation, ledger } = config;
  const asJson = JSON.parse(JSON.stringify(config)) as Json;
  const texts = { config: `\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\`` };
  return {
    model: initial === null ? model : { ...model, init: () => toParams(initial) },
    terms: termsOf(config),
    dataset: data.train,
    optimizer: optimizerOf(config),
    transforms: transformsOf(config),
    microBatches: training.microBatches,
    seed: training.seed,
    ledgerEvery: ledger.every,
    steps: training.steps,
    ...(data.heldOut !== null &&
      evaluation.every > 0 && {
        validation: {
          dataset: data.heldOut,
          every: evaluation.every,
          bytesPerToken: data.bytesPerToken,
          ...(evaluation.batches !== null && { batches: evaluation.batches }),
        },
      }),
    ...(training.patience !== null && { earlyStopping: { patience: training.patience } }),
    checkpoint: { folder: runFiles.checkpoints, every: config.checkpoint.every, keep: config.checkpoint.keep, config: asJson },
    hooks: [
      metricsFile(join(folder, runFiles.metrics)),
      tensorBoardFile(join(folder, runFiles.tensorBoard), { from: checkpoint === null ? 0 : checkpoint.saved.step + 1, texts }),
    ],
    platform: nodePlatform(folder),
    signal: interruption.signal,
  };
}

/** The figures a run ends with, gathered from its records. */
function summary(): { record(record: StepRecord): void; result(): NonNullable<RunInfo["result"]> } {
  let last: StepRecord["values"] = {};
  let heldOut: StepRecord["values"] = {};
  let steps = 0;
  let ms = 0;
  let tokens = 0;
  return {
    record: ({ kind, values }) => {
      if (kind === "evaluation") heldOut = values;
      if (kind !== "step") return;
      last = values;
      steps += 1;
      ms += values["stepMs"] ?? 0;
      tokens += ((values["tokensPerSecond"] ?? 0) * (values["stepMs"] ?? 0)) / 1000;
    },
    result: () => ({
      ...given("trainLoss", last["loss"]),
      ...given("heldOutLoss", heldOut["heldOut.loss"]),
      ...given("perplexity", heldOut["heldOut.perplexity"]),
      ...given("bitsPerByte", heldOut["heldOut.bitsPerByte"]),
      ...given("tokensPerSecond", steps === 0 ? undefined : (tokens / ms) * 1000),
    }),
  };
}
function given<K extends string>(key: K, value: number | undefined): { readonly [name in K]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [name in K]: number });
}
