import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ioError } from "@eitp/core/node";
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

/**
 * Refuses to mix a new run with what a folder holds. Call it while holding the lock.
 * @param overwrite - Replace a run. Only what runs write is ever removed: with anything else in the folder, a dot file included, it is refused,
 * because a slip of the path must not cost a home folder.
 * @throws EitpError "usage" with advice.
 */
export async function claimFolder(folder: string, overwrite: boolean): Promise<void> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith("run.lock"));
  const foreign = names.filter((name) => !isOurs(name));
  if (foreign.length > 0) {
    const some = foreign.slice(0, 5).join(", ") + (foreign.length > 5 ? ", …" : "");
    const besides = names.includes(runFiles.run) ? "holds more than a run" : "is not empty and holds no run";
    throw new EitpError("usage", `${folder} ${besides} (${some}); nothing was touched. Choose another folder with --out.`);
  }
  if (names.includes(runFiles.run) && !overwrite) {
    throw new EitpError(
      "usage",
      `${folder} already holds a run. Go on with \`eitp resume ${folder}\`, choose another --out, or replace it with --overwrite.`,
    );
  }
  // Without run.json it is what a run leaves that was killed before it began: nobody's loss.
  for (const name of names) await rm(join(folder, name), { recursive: true });
}

const ours: ReadonlySet<string> = new Set(Object.values(runFiles));

/** Written by a run, or one of the temporary names its stores use. */
function isOurs(name: string): boolean {
  return (
    ours.has(name) ||
    /^\.(tmp|old)-/.test(name) ||
    [...ours].some((known) => name.startsWith(`.${known}-`) || name.startsWith(`.${known}.`))
  );
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw ioError(error, { action: "look into the run folder", path: folder });
  }
}

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
