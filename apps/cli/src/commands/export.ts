import { saveHuggingFace } from "@eitp/gpt/node";
import { toHuggingFace } from "@eitp/text";
import { type OutputOptions, output } from "../output/output.ts";
import { type ModelFlags, sourceOf } from "./open-model.ts";

export interface ExportFlags extends OutputOptions, ModelFlags {
  readonly format: string;
  readonly out: string;
  readonly overwrite?: boolean;
}

/** `eitp export`: a folder that Python's `transformers` loads. */
export async function exportModel(path: string, flags: ExportFlags): Promise<void> {
  const out = output(flags);
  const { model, params, tokenizer, endOfText } = await sourceOf(path, flags, out);
  const encode = new TextEncoder();
  // A character tokenizer has no form there; the model goes without, and we say so.
  const expressible = tokenizer !== null && tokenizer.save().type !== "characters";
  const files = expressible ? await toHuggingFace(tokenizer) : {};
  const tokenizerFiles = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, encode.encode(text)]));
  await saveHuggingFace(flags.out, { config: model, params, tokenizerFiles, endOfText }, { overwrite: flags.overwrite ?? false });
  if (!expressible) out.warn("exported without a tokenizer: Hugging Face has no form for this one. Encode with the run's own.");
  out.result({ format: "hf", folder: flags.out, tokenizer: expressible ? tokenizer.name : null }, () => `wrote ${flags.out}`);
}
