import { readdir } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { errnoOf, ioError, nodePlatform } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import {
  type HuggingFaceExport,
  type HuggingFaceModel,
  huggingFaceFiles,
  type ReadHuggingFaceOptions,
  readHuggingFace,
} from "../files/hf-folder.ts";
import { folderSource } from "./folder-source.ts";

/**
 * Reads a GPT-2 from a folder as `transformers` saves it.
 * @throws EitpError "io" where the folder cannot be read, "data" naming the file and what is wrong in it
 * @example
 * ```ts
 * const { config, params } = await loadHuggingFace("models/gpt2");
 * const model = gpt(config);
 * const onDevice = toParams(params);
 * ```
 */
export function loadHuggingFace(folder: string, options: ReadHuggingFaceOptions = {}): Promise<HuggingFaceModel> {
  return readHuggingFace(folderSource(folder), options);
}

/** How to write a folder. */
export interface SaveHuggingFaceOptions {
  /** Replaces a model folder that is already there, as a whole. Default false. */
  readonly overwrite?: boolean;
}

/**
 * Writes a folder that `transformers.AutoModelForCausalLM.from_pretrained` loads. It appears complete or not at all.
 * @throws EitpError "usage" for a model that GPT-2 cannot express, and for a folder that is not empty (with `overwrite`: that is not a
 * model folder); "io" where the disk refuses
 * @example
 * ```ts
 * await saveHuggingFace("out/hf", { config: model.config, params: await toHostParams(params) });
 * ```
 */
export async function saveHuggingFace(folder: string, model: HuggingFaceExport, options: SaveHuggingFaceOptions = {}): Promise<void> {
  const files = huggingFaceFiles(model);
  const path = resolve(folder);
  await checkTarget(path, options.overwrite ?? false);
  await nodePlatform(dirname(path)).store.commit(basename(path), files);
}

/** What a model folder holds, ours or one that transformers wrote. */
const modelFile =
  /^((generation_|tokenizer_)?config|tokenizer|special_tokens_map|added_tokens|vocab|model\.safetensors\.index)\.json$|^merges\.txt$|^model.*\.safetensors$/;

async function checkTarget(path: string, overwrite: boolean): Promise<void> {
  const names = await namesIn(path);
  if (names.length === 0) return;
  if (!overwrite) {
    throw new EitpError("usage", `${path} is not empty (${names.slice(0, 5).join(", ")}). Choose another folder, or ask to overwrite it.`);
  }
  // Overwriting removes what was there; a slip of the path must not cost someone their home folder.
  const foreign = names.filter((name) => !modelFile.test(name));
  if (foreign.length > 0) {
    throw new EitpError(
      "usage",
      `${path} holds other things than a model (${foreign.slice(0, 5).join(", ")}), so it is not overwritten. Choose another folder.`,
    );
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw ioError(error, { action: "look into the export folder", path });
  }
}
