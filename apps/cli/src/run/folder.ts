import { existsSync } from "node:fs";
import { join } from "node:path";
import { EitpError } from "@eitp/engine/error";
import { checkConfig, type GptConfig } from "@eitp/gpt";
import { modelOptions } from "../config/rules.ts";
import { configSchema } from "../config/schema.ts";
import type { Config } from "../config/types.ts";

/** Names inside a run folder; see the README. */
export const runFiles = {
  run: "run.json",
  config: "config.json",
  environment: "environment.json",
  tokenizer: "tokenizer.eitp.json",
  metrics: "metrics.jsonl",
  samples: "samples.jsonl",
  tensorBoard: "tensorboard",
  checkpoints: "checkpoints",
  data: "data",
  report: "report.html",
  dumps: "dumps",
} as const;

export function holdsRun(folder: string): boolean {
  return existsSync(join(folder, runFiles.run));
}

/** @throws EitpError "data" where a saved configuration does not fit the schema of this version. */
export function savedConfig(value: unknown, place: string): Config {
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0];
  throw new EitpError(
    "data",
    `${place} is not a configuration this version can read: ${first?.path.join(".") ?? ""} ${first?.message ?? ""}. It was edited, or written by another version.`,
  );
}

/** The model of a configuration whose `null`s were filled in. @throws EitpError "data" where the vocabulary is missing. */
export function savedModel(config: Config, place: string): GptConfig {
  if (config.model.vocabulary === null)
    throw new EitpError("data", `${place} has no model.vocabulary; expected the configuration of a run.`);
  return checkConfig(modelOptions(config.model, config.model.vocabulary));
}

/** The configuration with nothing left to look up: what `config.json` and every checkpoint hold. */
export function completed(config: Config, model: GptConfig): Config {
  const {
    vocabulary,
    context,
    width,
    layers,
    heads,
    dropout,
    positions,
    tokenShift,
    logN,
    epsilon,
    initStd,
    headBudgetBytes = null,
  } = model;
  const { schedule } = config.optimizer;
  return {
    ...config,
    model: {
      ...config.model,
      ...{ vocabulary, context, width, layers, heads, dropout, positions, tokenShift, logN, epsilon, initStd, headBudgetBytes },
    },
    training: { ...config.training, length: config.training.length ?? context },
    // Written down, so that a resume for more steps does not stretch the schedule that has been followed so far.
    optimizer: { ...config.optimizer, schedule: { ...schedule, steps: schedule.steps ?? Math.max(1, config.training.steps) } },
  };
}

/** Tokens that one optimiser step of a completed configuration learns from. */
export function tokensPerStep({ training }: Config): number {
  return training.batch * training.microBatches * (training.length ?? 0);
}
