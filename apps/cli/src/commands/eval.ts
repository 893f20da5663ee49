import { evaluate } from "@eitp/core";
import { EitpError } from "@eitp/engine/error";
import { sequentialDataset } from "@eitp/text";
import { formatCount, table } from "../output/format.ts";
import { interruptible } from "../output/interrupt.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { encodedText, heldOutText } from "../run/text-tokens.ts";
import { type ModelFlags, withModel } from "./open-model.ts";

export interface EvalFlags extends OutputOptions, ModelFlags {
  readonly data?: readonly string[];
  readonly field: string;
  readonly format?: string;
  readonly replaceInvalid?: boolean;
  readonly length?: number;
  readonly batch: number;
  readonly batches?: number;
}

/** `eitp eval`, of any text or of what the run held out: every token of the text as a target once, in non-overlapping windows. */
export async function evaluateText(path: string, flags: EvalFlags): Promise<void> {
  const out = output(flags);
  const interruption = interruptible(out, "stopping.");
  const { signal } = interruption;
  try {
    await withModel(path, flags, out, async ({ model, params, tokenizer, source }) => {
      const { data, field, replaceInvalid = false, batches } = flags;
      const given = data && { inputs: data, format: formatOf(flags.format), field, replaceInvalid };
      const text = given === undefined ? await heldOutText(path) : await encodedText(given, tokenizer);
      const length = flags.length ?? model.config.context;
      const dataset = sequentialDataset({ tokens: text.tokens, shape: { sequences: flags.batch, length } });
      const bytesPerToken = text.bytes / text.tokens.length;
      const found = await evaluate(model, params, dataset, { bytesPerToken, signal, ...(batches !== undefined && { batches }) });
      text.close();
      const step = source.checkpoint?.saved.step ?? null;
      out.result({ ...found, step, model: source.folder, length, text: text.text, bytes: text.bytes }, () =>
        table([
          ["loss", `${found.nll.toFixed(4)} nats/token`],
          ["perplexity", found.perplexity.toFixed(3)],
          ["bits per byte", (found.bitsPerByte ?? Number.NaN).toFixed(4)],
          ["text", text.text],
          ["targets", `${formatCount(found.tokens)} tokens in windows of ${length}`],
          ["model", `${source.folder}${step === null ? "" : ` (step ${step})`}`],
        ]),
      );
    });
  } finally {
    interruption.release();
  }
}

function formatOf(name: string | undefined): "text" | "jsonl" | "parquet" | null {
  if (name === undefined) return null;
  if (name === "text" || name === "jsonl" || name === "parquet") return name;
  throw new EitpError("usage", `--format ${name}: expected text, jsonl or parquet.`);
}
