import type { Params } from "@eitp/core/spec";
import { counterRng } from "@eitp/engine";
import { type GptModel, generateAll, toParams } from "@eitp/gpt";
import { appendSample, type Sample } from "@eitp/lab";
import type { Tokenizer } from "@eitp/text";
import { dispose } from "@tensorflow/tfjs-core";
import type { SamplesConfig } from "../config/types.ts";
import { openSource } from "./source.ts";

/** Writes the samples of one moment of a run to `samples.jsonl` and returns them. The same seed and step give the same text. */
export async function sample(
  folder: string,
  step: number,
  options: SamplesConfig,
  { model, params, tokenizer }: { readonly model: GptModel; readonly params: Params; readonly tokenizer: Tokenizer },
): Promise<readonly Sample[]> {
  const { prompt, maxTokens, temperature, topK, topP, count } = options;
  const ids = [...tokenizer.encode(prompt)];
  const seed = counterRng(options.seed).fold("samples").fold(step).bits(0);
  const texts = await generateAll(
    model,
    params,
    Array.from({ length: count }, () => ids),
    {
      maxNewTokens: maxTokens,
      decode: (tokens) => tokenizer.decode(tokens),
      endOfText: tokenizer.endOfText === null ? [] : [tokenizer.endOfText],
      ...(temperature > 0 && {
        sampling: { temperature, seed, ...(topK !== null && { topK }), ...(topP !== null && { topP }) },
      }),
    },
  );
  const samples = texts.map(({ text }): Sample => ({ step, prompt, text, options: { temperature, topK, topP, seed } }));
  for (const one of samples) await appendSample(folder, one);
  return samples;
}

/** The same from a checkpoint on disk, while the run that made it goes on. */
export async function sampleCheckpoint(
  folder: string,
  step: number,
  options: SamplesConfig,
  { model, tokenizer }: { readonly model: GptModel; readonly tokenizer: Tokenizer },
): Promise<readonly Sample[]> {
  const source = await openSource(folder, { which: step });
  const params = toParams(source.params);
  try {
    return await sample(folder, step, options, { model, params, tokenizer });
  } finally {
    dispose(params);
  }
}
