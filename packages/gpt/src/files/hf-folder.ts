import { encodeSafetensors } from "@eitp/core/safetensors";
import { EitpError } from "@eitp/engine/error";
import type { GptConfig } from "../model/config.ts";
import { type FileSource, readAll, readJsonObject } from "./file-source.ts";
import { configFromHuggingFace, configToHuggingFace, endOfTextOf, generationConfig } from "./hf-config.ts";
import { isBuffer, paramsFromHuggingFace, paramsToHuggingFace } from "./hf-params.ts";
import type { HostParams } from "./host-params.ts";
import { readTensors } from "./read-tensors.ts";

/** What a Hugging Face folder of a GPT-2 holds. */
export interface HuggingFaceModel {
  readonly config: GptConfig;
  readonly params: HostParams;
  /** By file name, untouched; the tokenizer package reads them. */
  readonly tokenizerFiles: { readonly [name: string]: Uint8Array };
  /** Ids that end a text. */
  readonly endOfText: readonly number[];
}

const tokenizerNames: readonly string[] = [
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.json",
  "merges.txt",
  "special_tokens_map.json",
  "added_tokens.json",
];

/** How to read a folder. */
export interface ReadHuggingFaceOptions {
  /** Instead of the file's dropout; needed where the file has three different ones. */
  readonly dropout?: number;
}

/**
 * Reads a GPT-2 as `transformers` saves it: plain, `transformer.`-prefixed, with a (tied) head, or in shards.
 * @throws EitpError "data" naming the file and what is wrong in it
 */
export async function readHuggingFace(source: FileSource, options: ReadHuggingFaceOptions = {}): Promise<HuggingFaceModel> {
  const files = await source.list();
  if (!files.includes("config.json")) {
    throw new EitpError("data", `${source.name} has no config.json, so it is not a Hugging Face model folder.`);
  }
  const json = await readJsonObject(source, "config.json");
  const config = configFromHuggingFace(json, `${source.name}/config.json`, options.dropout);
  const generation = files.includes("generation_config.json") ? await readJsonObject(source, "generation_config.json") : {};
  const [ends, endsFile] = generation["eos_token_id"] === undefined ? [json, "config.json"] : [generation, "generation_config.json"];

  const tensors = await readTensors(source, (name) => !isBuffer(name));
  const tokenizerFiles: { [name: string]: Uint8Array } = {};
  for (const name of tokenizerNames) if (files.includes(name)) tokenizerFiles[name] = await readAll(source, name);
  return {
    config,
    params: paramsFromHuggingFace(tensors, config, source.name),
    tokenizerFiles,
    endOfText: endOfTextOf(ends, config.vocabulary, `${source.name}/${endsFile}`),
  };
}

/** What to write; the parts that have a default may be left out. */
export type HuggingFaceExport = Pick<HuggingFaceModel, "config" | "params"> & Partial<HuggingFaceModel>;

/**
 * A folder that `transformers` loads: every file's name and bytes.
 * @throws EitpError "usage" for a model that GPT-2 cannot express, a token outside the vocabulary, or a tokenizer file under a name that
 * is not one; "data" for parameters that do not fit the configuration
 */
export function huggingFaceFiles(model: HuggingFaceExport): { readonly [name: string]: Uint8Array } {
  const { config, params, tokenizerFiles = {}, endOfText = [] } = model;
  const json = configToHuggingFace(config, endOfText);
  const stray = endOfText.find((id) => !Number.isSafeInteger(id) || id < 0 || id >= config.vocabulary);
  if (stray !== undefined) throw new EitpError("usage", `endOfText ${stray} is outside the vocabulary of ${config.vocabulary} tokens.`);
  const foreign = Object.keys(tokenizerFiles).find((name) => !tokenizerNames.includes(name));
  if (foreign !== undefined) {
    throw new EitpError("usage", `${JSON.stringify(foreign)} is not a tokenizer file; known are ${tokenizerNames.join(", ")}.`);
  }
  return {
    "config.json": jsonBytes(json),
    "generation_config.json": jsonBytes(generationConfig(endOfText)),
    "model.safetensors": encodeSafetensors(paramsToHuggingFace(params, config), { format: "pt" }),
    ...tokenizerFiles,
  };
}

function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
