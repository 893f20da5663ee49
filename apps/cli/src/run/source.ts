import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Checkpoint, findCheckpoint, readCheckpoint, type Which } from "@eitp/core";
import { nodePlatform } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import type { GptConfig, HostParams } from "@eitp/gpt";
import { loadHuggingFace } from "@eitp/gpt/node";
import type { Tokenizer } from "@eitp/text";
import type { Config } from "../config/types.ts";
import { runFiles, savedConfig, savedModel } from "./folder.ts";
import { huggingFaceTokenizer } from "./hugging-face-tokenizer.ts";
import { readTokenizer, standardTokenizer } from "./tokenizer.ts";

/** A trained model as it lies on disk. */
export interface Source {
  readonly kind: "run" | "checkpoint" | "huggingFace";
  /** The folder the parameters came from. */
  readonly folder: string;
  readonly model: GptConfig;
  readonly params: HostParams;
  readonly tokenizer: Tokenizer | null;
  /** Ids that end a text. */
  readonly endOfText: readonly number[];
  readonly checkpoint: Checkpoint | null;
  readonly config: Config | null;
  /** Newer checkpoints that are damaged, with the reason. */
  readonly skipped: readonly string[];
}

/** What to read, where a folder holds several things. */
export interface SourceOptions {
  /** Of a run folder; default "latest". */
  readonly which?: Which;
  /** Instead of the folder's own tokenizer: a name or the path of a file. */
  readonly tokenizer?: string;
  /** Of a Hugging Face folder with three different ones. */
  readonly dropout?: number;
}

/**
 * Opens a run folder, one of its checkpoints, or a Hugging Face folder.
 * @throws EitpError "usage" where the path is none of these, "data" where it is damaged.
 */
export async function openSource(path: string, options: SourceOptions = {}): Promise<Source> {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    const what = existsSync(path) ? "is a file" : "does not exist";
    throw new EitpError(
      "usage",
      `${path} ${what}; expected a run folder (--out of \`eitp train\`), a checkpoint or a Hugging Face folder.`,
    );
  }
  const own = options.tokenizer === undefined ? null : await namedTokenizer(options.tokenizer);
  if (existsSync(join(path, "state.json"))) return fromCheckpoint(path, own);
  if (existsSync(join(path, runFiles.run))) return fromRun(path, options.which ?? "latest", own);
  if (existsSync(join(path, "config.json"))) return fromHuggingFace(path, own, options.dropout);
  throw new EitpError("usage", `${path} holds neither run.json (a run), state.json (a checkpoint) nor config.json (a Hugging Face model).`);
}

async function fromRun(path: string, which: Which, own: Tokenizer | null): Promise<Source> {
  const { folder, skipped, ...checkpoint } = await findCheckpoint(nodePlatform(path).store, which);
  const tokenizer = own ?? (await readTokenizer(join(path, runFiles.tokenizer)));
  return {
    kind: "run",
    ...ofCheckpoint(checkpoint, join(path, folder), tokenizer),
    skipped: skipped.map(({ reason }) => reason),
  };
}

async function fromCheckpoint(path: string, own: Tokenizer | null): Promise<Source> {
  const checkpoint = await readCheckpoint(nodePlatform(path).store, ".");
  const beside = join(dirname(dirname(resolve(path))), runFiles.tokenizer);
  const tokenizer = own ?? (existsSync(beside) ? await readTokenizer(beside) : null);
  return { kind: "checkpoint", ...ofCheckpoint(checkpoint, path, tokenizer), skipped: [] };
}

async function fromHuggingFace(path: string, own: Tokenizer | null, dropout: number | undefined): Promise<Source> {
  const { config, params, tokenizerFiles, endOfText } = await loadHuggingFace(path, dropout === undefined ? {} : { dropout });
  const tokenizer = own ?? (await huggingFaceTokenizer(tokenizerFiles));
  return { kind: "huggingFace", folder: path, model: config, params, tokenizer, endOfText, checkpoint: null, config: null, skipped: [] };
}

function ofCheckpoint(checkpoint: Checkpoint, folder: string, tokenizer: Tokenizer | null): Omit<Source, "kind" | "skipped"> {
  const config = savedConfig(checkpoint.config, `${folder}/state.json`);
  const endOfText = tokenizer?.endOfText ?? null;
  return {
    folder,
    model: savedModel(config, `${folder}/state.json`),
    params: paramsOf(checkpoint),
    tokenizer,
    endOfText: endOfText === null ? [] : [endOfText],
    checkpoint,
    config,
  };
}

/** The model's parameters among the tensors of a checkpoint. */
function paramsOf({ saved }: Checkpoint): HostParams {
  const prefix = "params/";
  const entries = [...saved.tensors].flatMap(([path, { shape, data }]) =>
    path.startsWith(prefix) && data instanceof Float32Array ? [[path.slice(prefix.length), { shape, data }] as const] : [],
  );
  return Object.fromEntries(entries);
}

async function namedTokenizer(name: string): Promise<Tokenizer> {
  return (await standardTokenizer(name, false)) ?? (await readTokenizer(name));
}

/** @throws EitpError "usage" where the source brought no tokenizer, or one that does not fit the model. */
export function tokenizerOf({ tokenizer, folder, model }: Source): Tokenizer {
  if (tokenizer === null) {
    throw new EitpError("usage", `${folder} has no tokenizer. Name one with --tokenizer: "bytes", "gpt2" or the path of a tokenizer file.`);
  }
  if (tokenizer.vocabularySize > model.vocabulary) {
    const sizes = `has ${tokenizer.vocabularySize} ids, the model's vocabulary ${model.vocabulary}`;
    throw new EitpError("data", `The tokenizer "${tokenizer.name}" ${sizes}. Name the one the model was trained with, by --tokenizer.`);
  }
  return tokenizer;
}
