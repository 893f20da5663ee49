import type { Params } from "@eitp/core/spec";
import { useBackend } from "@eitp/engine";
import { type GptModel, gpt, toParams } from "@eitp/gpt";
import type { Tokenizer } from "@eitp/text";
import { dispose } from "@tensorflow/tfjs-core";
import type { Output } from "../output/output.ts";
import { openSource, type Source, tokenizerOf } from "../run/source.ts";
import { whichOf } from "./resume.ts";

/** Options of commands that take a model. */
export interface ModelFlags {
  readonly checkpoint: string;
  readonly tokenizer?: string;
  readonly backend: string;
}
/** A model ready to run. */
export interface OpenModel {
  readonly source: Source;
  readonly model: GptModel;
  readonly params: Params;
  readonly tokenizer: Tokenizer;
}

/** Opens what a path holds and warns of damaged checkpoints that were passed over. */
export async function sourceOf(path: string, flags: Omit<ModelFlags, "backend">, out: Output): Promise<Source> {
  const { checkpoint, tokenizer } = flags;
  // Dropout plays no part outside training, and folders may have three different ones.
  const source = await openSource(path, { which: whichOf(checkpoint), dropout: 0, ...(tokenizer !== undefined && { tokenizer }) });
  for (const reason of source.skipped) out.warn(`passed over a damaged checkpoint: ${reason}`);
  return source;
}

/** Runs `use` with the model of a path on a backend, and frees it. */
export async function withModel<T>(path: string, flags: ModelFlags, out: Output, use: (open: OpenModel) => Promise<T>): Promise<T> {
  const source = await sourceOf(path, flags, out);
  const tokenizer = tokenizerOf(source);
  await useBackend(flags.backend);
  const params = toParams(source.params);
  try {
    return await use({ source, model: gpt(source.model), params, tokenizer });
  } finally {
    dispose(params);
  }
}
