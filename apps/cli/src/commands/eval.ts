import { evaluate } from "@eitp/core";
import { EitpError } from "@eitp/engine/error";
import { memoryTokens, sequentialDataset, type Tokenizer } from "@eitp/text";
import { formatCount, table } from "../output/format.ts";
import { interruptible } from "../output/interrupt.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { documentsOf } from "../run/tokenizer.ts";
import { type ModelFlags, withModel } from "./open-model.ts";

export interface EvalFlags extends OutputOptions, ModelFlags {
  readonly data: readonly string[];
  readonly field: string;
  readonly format?: string;
  readonly replaceInvalid?: boolean;
  readonly length?: number;
  readonly batch: number;
  readonly batches?: number;
}

/** `eitp eval`: every token of the text as a target once, in non-overlapping windows. */
export async function evaluateText(path: string, flags: EvalFlags): Promise<void> {
  const out = output(flags);
  const interruption = interruptible(out, "stopping.");
  const { signal } = interruption;
  try {
    await withModel(path, flags, out, async ({ model, params, tokenizer, source }) => {
      const text = await tokensOf(flags, tokenizer);
      const length = flags.length ?? model.config.context;
      const dataset = sequentialDataset({ tokens: memoryTokens(text.tokens, text.starts), shape: { sequences: flags.batch, length } });
      const bytesPerToken = text.bytes / text.tokens.length;
      const { batches } = flags;
      const found = await evaluate(model, params, dataset, { bytesPerToken, signal, ...(batches !== undefined && { batches }) });
      const step = source.checkpoint?.saved.step ?? null;
      out.result({ ...found, step, model: source.folder, length, bytes: text.bytes }, () =>
        table([
          ["loss", `${found.nll.toFixed(4)} nats/token`],
          ["perplexity", found.perplexity.toFixed(3)],
          ["bits per byte", (found.bitsPerByte ?? Number.NaN).toFixed(4)],
          ["targets", `${formatCount(found.tokens)} tokens in windows of ${length}`],
          ["model", `${source.folder}${step === null ? "" : ` (step ${step})`}`],
        ]),
      );
    });
  } finally {
    interruption.release();
  }
}

interface EncodedText {
  readonly tokens: Int32Array;
  readonly starts: readonly number[];
  /** UTF-8 bytes of the text. */
  readonly bytes: number;
}

async function tokensOf(flags: EvalFlags, tokenizer: Tokenizer): Promise<EncodedText> {
  const { data, field, replaceInvalid = false } = flags;
  const source = { inputs: data, format: formatOf(flags.format), field, replaceInvalid };
  const parts: Int32Array[] = [];
  const starts: number[] = [];
  let bytes = 0;
  let length = 0;
  for await (const { text } of documentsOf(source)) {
    let whole = "";
    for await (const piece of typeof text === "string" ? [text] : text) whole += piece;
    const ids = tokenizer.encode(whole);
    bytes += Buffer.byteLength(whole);
    starts.push(length);
    const ended = tokenizer.endOfText === null ? ids : Int32Array.from([...ids, tokenizer.endOfText]);
    parts.push(ended);
    length += ended.length;
  }
  const tokens = new Int32Array(length);
  for (const [i, part] of parts.entries()) tokens.set(part, starts[i] ?? 0);
  return { tokens, starts, bytes };
}

function formatOf(name: string | undefined): "text" | "jsonl" | "parquet" | null {
  if (name === undefined) return null;
  if (name === "text" || name === "jsonl" || name === "parquet") return name;
  throw new EitpError("usage", `--format ${name}: expected text, jsonl or parquet.`);
}
