import { EitpError } from "@eitp/engine/error";
import { type GenerateOptions, generate, generateAll } from "@eitp/gpt";
import { interruptible } from "../output/interrupt.ts";
import { type Output, type OutputOptions, output } from "../output/output.ts";
import { printable } from "../output/printable.ts";
import { type ModelFlags, type OpenModel, withModel } from "./open-model.ts";

export interface GenerateFlags extends OutputOptions, ModelFlags {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
  readonly seed: number;
  readonly stop: readonly string[];
  readonly batch: number;
  readonly stream: boolean;
}

/** `eitp generate`: the prompt and its continuation; several separated by a line. */
export async function generateText(path: string, flags: GenerateFlags): Promise<void> {
  const out = output(flags);
  const interruption = interruptible(out, "stopping.");
  try {
    await withModel(path, flags, out, async (open) => {
      const options = optionsOf(flags, open, interruption.signal);
      const ids = promptIds(flags.prompt, open);
      const { positions, context } = open.source.model;
      if (positions === "learned" && ids.length > context) {
        const seen = Math.max(1, Math.floor(context / 2));
        out.warn(`the prompt has ${ids.length} tokens, the model ${context} learned positions: it goes on from the last ${seen}`);
      }
      if (flags.stream && flags.batch === 1 && !out.json) await streamed(open, ids, options, flags.prompt, out);
      else await atOnce(open, ids, options, flags, out);
    });
  } finally {
    interruption.release();
  }
}

function promptIds(prompt: string, { tokenizer }: OpenModel): readonly number[] {
  const ids = [...tokenizer.encode(prompt)];
  if (ids.length > 0) return ids;
  if (tokenizer.endOfText !== null) return [tokenizer.endOfText];
  throw new EitpError("usage", "The prompt is empty, and this tokenizer has no end-of-text token to start from. Give --prompt a text.");
}

function optionsOf(flags: GenerateFlags, { source, tokenizer }: OpenModel, signal: AbortSignal): GenerateOptions {
  const { maxTokens, temperature, topK, topP, repetitionPenalty, seed, stop } = flags;
  if (temperature < 0) throw new EitpError("usage", `--temperature is ${temperature}; expected a number ≥ 0 (0: greedy).`);
  return {
    maxNewTokens: maxTokens,
    decode: (tokens) => tokenizer.decode(tokens),
    endOfText: source.endOfText,
    stop,
    signal,
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    ...(temperature > 0 && {
      sampling: { temperature, seed, ...(topK !== undefined && { topK }), ...(topP !== undefined && { topP }) },
    }),
  };
}

async function streamed(open: OpenModel, ids: readonly number[], options: GenerateOptions, prompt: string, out: Output): Promise<void> {
  // A file gets the exact text, a terminal one that it cannot obey.
  const shown = process.stdout.isTTY ? printable : (text: string): string => text;
  // Wrong options are refused here, before a word is printed.
  const steps = generate(open.model, open.params, [ids], options);
  out.text(shown(prompt));
  for await (const { text } of steps) out.text(shown(text));
  out.text("\n");
}

async function atOnce(open: OpenModel, ids: readonly number[], options: GenerateOptions, flags: GenerateFlags, out: Output): Promise<void> {
  const prompts = Array.from({ length: flags.batch }, () => ids);
  const texts = await generateAll(open.model, open.params, prompts, options);
  for (const [row, { text, tokens, finish }] of texts.entries()) {
    if (out.json) {
      out.line({ row, prompt: flags.prompt, text, tokens, finish });
      continue;
    }
    if (row > 0) out.text("---\n");
    out.text(`${process.stdout.isTTY ? printable(flags.prompt + text) : flags.prompt + text}\n`);
  }
}
