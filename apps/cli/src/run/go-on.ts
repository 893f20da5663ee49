import { basename, join, resolve } from "node:path";
import { type FoundCheckpoint, findCheckpoint, stepsIn, type Which } from "@eitp/core";
import { lockRun, nodePlatform } from "@eitp/core/node";
import { useBackend } from "@eitp/engine";
import { EitpError } from "@eitp/engine/error";
import { gpt, summary } from "@eitp/gpt";
import { type RunInfo, writeRunFile } from "@eitp/lab";
import type { Config } from "../config/types.ts";
import type { Interruption } from "../output/interrupt.ts";
import type { Output } from "../output/output.ts";
import { holdsRun, runFiles, savedConfig, savedModel, tokensPerStep } from "./folder.ts";
import { readJsonFile } from "./json-file.ts";
import { rewindLogs } from "./rewind.ts";
import { openSource } from "./source.ts";
import { readTokenizer } from "./tokenizer.ts";
import { type Outcome, runTraining } from "./training.ts";

export interface ResumeOptions {
  /** Steps in all, instead of the configuration's. */
  readonly steps?: number;
  /** Steps beyond the checkpoint. */
  readonly more?: number;
  readonly which: Which;
  /** Another backend than before: the run is then not bit-identical. */
  readonly backend?: string;
  readonly output: Output;
  readonly interruption: Interruption;
}

/** Goes on with the run in a folder; one that was killed before its first checkpoint starts again. */
export async function resumeRun(folder: string, options: ResumeOptions): Promise<Outcome> {
  const { output, interruption } = options;
  if (!holdsRun(folder)) throw new EitpError("usage", `${folder} holds no run (no run.json). Name the --out of \`eitp train\`.`);
  const lock = await lockRun(folder);
  try {
    if (lock.takenOver) output.note(`the run of process ${lock.takenOver.pid} ended without a word; going on from its last checkpoint`);
    const saved = savedConfig(await readJsonFile(join(folder, runFiles.config), "the configuration"), join(folder, runFiles.config));
    if (saved.data.inputs.length === 0) {
      const how = `\`eitp train --from ${folder} --data <text> --out <run>\``;
      throw new EitpError("usage", `${folder} was imported and has no text to learn from. Start a run from it: ${how}.`);
    }
    const checkpoint = await checkpointOf(folder, options, saved);
    const config = withSteps(saved, options, checkpoint?.saved.step ?? 0);
    const info = await infoOf(folder, config);
    const { name: backend } = await useBackend(options.backend ?? checkpoint?.backend ?? config.backend);
    if (checkpoint !== null && checkpoint.backend !== backend) {
      output.warn(`the checkpoint was made on backend ${checkpoint.backend}; on ${backend} the run does not go on bit for bit`);
    }
    await rewindLogs(folder, checkpoint?.saved.step ?? 0);

    const model = gpt(savedModel(config, join(folder, runFiles.config)));
    const running: RunInfo = {
      ...info,
      backend,
      parameters: summary(model.structure).parameters,
      tokensPerStep: tokensPerStep(config),
      status: "running",
    };
    await writeRunFile(folder, runFiles.config, JSON.parse(JSON.stringify(config)));
    await writeRunFile(folder, runFiles.run, running);
    const tokenizer = await readTokenizer(join(folder, runFiles.tokenizer));
    // Only a run from step 0 needs what it started from; a checkpoint has everything.
    const initial = checkpoint === null && config.model.from !== null ? (await openSource(config.model.from)).params : null;
    return await runTraining({ folder, config, model, tokenizer, info: running, initial, checkpoint, output, interruption });
  } finally {
    await lock.release();
  }
}

async function checkpointOf(folder: string, { which, output }: ResumeOptions, config: Config): Promise<FoundCheckpoint | null> {
  const { store } = nodePlatform(folder);
  const room = runFiles.checkpoints;
  if (which === "latest" && (await stepsIn(store, room)).length === 0) {
    output.note("there is no checkpoint yet: starting from step 0");
    return null;
  }
  const found = await findCheckpoint(store, which, room);
  for (const { reason } of found.skipped) output.warn(`passed over a damaged checkpoint: ${reason}`);
  const theirs = savedConfig(found.config, `${found.folder}/state.json`);
  const different = (Object.keys(config.model) as (keyof Config["model"])[]).filter((key) => theirs.model[key] !== config.model[key]);
  if (different.length > 0) {
    const list = different.map((key) => `model.${key} is ${theirs.model[key]}, in config.json ${config.model[key]}`).join("; ");
    throw new EitpError(
      "data",
      `The checkpoint ${found.folder} belongs to another configuration: ${list}. Put the run's own checkpoint back.`,
    );
  }
  if (which !== "latest") await dropLater(folder, found.saved.step, output);
  output.note(`going on from ${join(folder, found.folder)} (step ${found.saved.step})`);
  return found;
}

/** Going back is a decision: what was trained after that step is no longer part of the run. */
async function dropLater(folder: string, step: number, output: Output): Promise<void> {
  const { store } = nodePlatform(folder);
  const later = (await stepsIn(store, runFiles.checkpoints)).filter((other) => other > step);
  for (const other of later) await store.remove(`${runFiles.checkpoints}/step-${String(other).padStart(8, "0")}`);
  if (later.length > 0) output.note(`removed the later checkpoints (${later.join(", ")})`);
}

function withSteps(config: Config, { steps, more }: ResumeOptions, at: number): Config {
  const total = steps ?? (more === undefined ? config.training.steps : at + more);
  if (total < at)
    throw new EitpError("usage", `--steps ${total} lies before the checkpoint of step ${at}. Give more, or --checkpoint ${total}.`);
  return { ...config, training: { ...config.training, steps: total } };
}

async function infoOf(folder: string, config: Config): Promise<RunInfo> {
  const info = (await readJsonFile(join(folder, runFiles.run), "the run")) ?? {};
  const { name, createdAt, command } = info;
  return {
    schemaVersion: 1,
    name: typeof name === "string" ? name : basename(resolve(folder)),
    createdAt: typeof createdAt === "string" ? createdAt : new Date().toISOString(),
    command: Array.isArray(command) ? command.map(String) : [],
    status: "running",
    seed: config.training.seed,
    backend: config.backend,
    parameters: 0,
  };
}
