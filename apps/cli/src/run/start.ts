import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { lockRun } from "@eitp/core/node";
import { useBackend } from "@eitp/engine";
import { EitpError } from "@eitp/engine/error";
import { checkConfig, type GptConfig, gpt, summary } from "@eitp/gpt";
import { environment, type RunInfo, writeRunFile } from "@eitp/lab";
import type { Tokenizer } from "@eitp/text";
import { inputFiles } from "@eitp/text/node";
import { modelOptions } from "../config/rules.ts";
import type { Config } from "../config/types.ts";
import { formatCount } from "../output/format.ts";
import type { Interruption } from "../output/interrupt.ts";
import type { Output } from "../output/output.ts";
import { claimFolder } from "./claim.ts";
import { isBuiltin } from "./corpus.ts";
import { completed, runFiles, tokensPerStep } from "./folder.ts";
import { openSource, type Source, tokenizerOf } from "./source.ts";
import { makeTokenizer, saveTokenizer } from "./tokenizer.ts";
import { type Outcome, runTraining } from "./training.ts";

export interface StartOptions {
  readonly config: Config;
  readonly overwrite: boolean;
  /** The command line, for `run.json`. */
  readonly command: readonly string[];
  readonly output: Output;
  readonly interruption: Interruption;
}

/** Starts a run in a new folder. */
export async function startRun({ config, overwrite, command, output, interruption }: StartOptions): Promise<Outcome> {
  const folder = config.out;
  if (folder === null) throw new EitpError("usage", "No run folder was named. Say where to put checkpoints and logs: --out runs/first.");
  if (config.data.inputs.length === 0) {
    throw new EitpError("usage", "No text was named. Give --data with files, folders or globs, or --data builtin:moby-dick.");
  }
  const builtin = isBuiltin(config.data.inputs);
  const lock = await lockRun(folder);
  try {
    const clear = await claimFolder(folder, overwrite);
    const inputs = builtin ? [] : (await inputFiles(config.data.inputs, config.data.format ?? undefined)).map(({ path }) => path);
    if (overwrite) refuseOwn(folder, config.model.from === null ? inputs : [...inputs, config.model.from]);
    const { name: backend, why } = await useBackend(config.backend);
    const source = config.model.from === null ? null : await openSource(config.model.from, { dropout: config.model.dropout });
    const tokenizer = source === null ? await makeTokenizer(config.data) : tokenizerOf(source);
    const modelConfig = modelOf(config, tokenizer, source);
    const model = gpt(modelConfig);
    const full = completed(config, modelConfig);
    const parameters = summary(model.structure).parameters;
    // From here on nothing is wrong but, perhaps, what the text says: a slip of the pen does not cost the run that --overwrite replaces.
    await clear();
    output.note(`model: ${formatCount(parameters)} parameters; backend ${backend} (${why}); run folder ${folder}`);

    const info: RunInfo = {
      schemaVersion: 1,
      name: basename(resolve(folder)),
      createdAt: new Date().toISOString(),
      command,
      status: "running",
      seed: config.training.seed,
      backend,
      parameters,
      tokensPerStep: tokensPerStep(full),
    };
    await saveTokenizer(tokenizer, join(folder, runFiles.tokenizer));
    await writeRunFile(folder, runFiles.config, JSON.parse(JSON.stringify(full)));
    await writeRunFile(folder, runFiles.environment, await environment(recorded, dirname(fileURLToPath(import.meta.url))));
    // Last of the four: a folder with run.json can be resumed.
    await writeRunFile(folder, runFiles.run, info);
    const initial = source?.params ?? null;
    return await runTraining({ folder, config: full, model, tokenizer, info, initial, checkpoint: null, output, interruption });
  } finally {
    await lock.release();
  }
}

/** @throws EitpError "usage" where a run is to begin with something that it would first remove. */
function refuseOwn(folder: string, sources: readonly string[]): void {
  const own = sources.find((path) => path !== "-" && !relative(folder, path).startsWith(".."));
  if (own === undefined) return;
  throw new EitpError("usage", `${own} lies in the run folder ${folder}, which --overwrite would empty first. Choose another --out.`);
}

/** Packages whose versions decide what a run computes. */
const recorded: readonly string[] = ["@eitp/cli", "@eitp/core", "@eitp/engine", "@eitp/gpt", "@eitp/text", "@tensorflow/tfjs-core"];

function modelOf(config: Config, tokenizer: Tokenizer, source: Source | null): GptConfig {
  if (source !== null) return fromSource(config, source);
  const model = checkConfig(modelOptions(config.model, tokenizer.vocabularySize));
  if (model.vocabulary < tokenizer.vocabularySize) {
    throw new EitpError(
      "usage",
      `model.vocabulary is ${model.vocabulary}, but the tokenizer "${tokenizer.name}" has ${tokenizer.vocabularySize} ids. Leave it out, or give at least that many.`,
    );
  }
  return model;
}

/** A model that goes on from another has its shape; what the configuration asks for besides must agree. */
function fromSource(config: Config, { model, folder }: Source): GptConfig {
  for (const key of ["vocabulary", "context", "width", "layers", "heads"] as const) {
    const asked = config.model[key];
    if (asked !== null && asked !== model[key]) {
      throw new EitpError("usage", `model.${key} is ${asked}, but the model in ${folder} has ${model[key]}. Leave it out with model.from.`);
    }
  }
  const length = config.training.length ?? model.context;
  if (model.positions === "learned" && length > model.context) {
    throw new EitpError("usage", `training.length is ${length}, but the model in ${folder} has ${model.context} positions. Shorten it.`);
  }
  return checkConfig({ ...model, dropout: config.model.dropout });
}
