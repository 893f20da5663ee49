import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "@eitp/core";
import { gpt, macsPerToken, summary } from "@eitp/gpt";
import { readMetrics } from "@eitp/lab";
import { openShards, verifyShards } from "@eitp/text/node";
import { formatCount, formatShort, table } from "../output/format.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { runFiles } from "../run/folder.ts";
import type { Source } from "../run/source.ts";
import { type ModelFlags, sourceOf } from "./open-model.ts";

export interface InspectFlags extends OutputOptions, ModelFlags {
  readonly parameters?: boolean;
}

/** `eitp inspect`. Reading verifies: a checkpoint whose checksums do not fit is refused. */
export async function inspect(path: string, flags: InspectFlags): Promise<void> {
  const out = output(flags);
  const source = await sourceOf(path, flags, out);
  const { model, checkpoint, tokenizer } = source;
  const data = source.kind === "run" ? await verifiedData(path) : null;
  const best = (source.kind === "run" ? await bestOf(path) : null) ?? checkpoint?.progress.best ?? null;
  const size = summary(gpt(model).structure);
  const shapes = Object.entries(source.params).map(([name, { shape }]) => ({ name, shape }));
  const value = {
    kind: source.kind,
    folder: source.folder,
    step: checkpoint?.saved.step ?? null,
    best,
    parameters: size.parameters,
    macsPerToken: macsPerToken(size, model.context),
    model,
    tokenizer: tokenizer === null ? null : { name: tokenizer.name, vocabularySize: tokenizer.vocabularySize },
    backend: checkpoint?.backend ?? null,
    seed: checkpoint?.seed ?? null,
    dataset: checkpoint?.dataset ?? null,
    data,
    checksums: checkpoint === null ? "none in this format; sizes and offsets verified" : "verified",
    shapes,
  };
  out.result(value, () => describe(value, source, flags.parameters ?? false, size.rows));
}

/** From the log, since a checkpoint is saved before its own evaluation and so knows only those before. */
async function bestOf(run: string): Promise<Progress["best"]> {
  const { evaluations } = await readMetrics(join(run, runFiles.metrics));
  const { steps, values } = evaluations.get("heldOut.loss") ?? { steps: [], values: [] };
  return steps.reduce<Progress["best"]>((best, step, i) => {
    const loss = values[i] ?? Number.NaN;
    return loss < (best?.loss ?? Number.POSITIVE_INFINITY) ? { step, loss } : best;
  }, null);
}

async function verifiedData(path: string): Promise<{ readonly train: number; readonly heldOut: number } | null> {
  const folder = join(path, runFiles.data);
  if (!existsSync(join(folder, "index.json"))) return null;
  const { index, close } = await openShards(folder);
  close();
  await verifyShards(folder, index);
  return { train: index.train.tokens, heldOut: index.validation?.tokens ?? 0 };
}

type Rows = ReturnType<typeof summary>["rows"];

function describe(
  value: {
    readonly best: Progress["best"];
    readonly parameters: number;
    readonly macsPerToken: number;
    readonly checksums: string;
    readonly data: Awaited<ReturnType<typeof verifiedData>>;
  },
  { kind, folder, model, checkpoint, tokenizer, params }: Source,
  all: boolean,
  rows: Rows,
): string {
  const { vocabulary, context, width, layers, heads, positions, tokenShift, logN, dropout } = model;
  const { best } = value;
  const facts: (readonly string[])[] = [
    [kind === "huggingFace" ? "Hugging Face model" : kind, folder],
    ...(checkpoint === null
      ? []
      : [["step", `${formatCount(checkpoint.saved.step)} (seed ${checkpoint.seed}, backend ${checkpoint.backend})`]]),
    ...(best !== null ? [["best", `held-out loss ${best.loss.toFixed(4)} at step ${best.step}`]] : []),
    ["parameters", formatCount(value.parameters)],
    ["work", `${formatShort(value.macsPerToken)} multiply-accumulates per token, forward, at length ${context}`],
    ["shape", `${layers} layers, width ${width}, ${heads} heads, context ${context}, vocabulary ${formatCount(vocabulary)}`],
    ["positions", `${positions}${tokenShift ? ", token shift" : ""}${logN ? ", log-n attention" : ""}, dropout ${dropout}`],
    ["tokenizer", tokenizer === null ? "none" : `${tokenizer.name}, ${formatCount(tokenizer.vocabularySize)} ids`],
    ...(value.data === null
      ? []
      : [["data", `${formatCount(value.data.train)} tokens, ${formatCount(value.data.heldOut)} held out; checksums verified`]]),
    ["checksums", value.checksums],
  ];
  const steps = rows.filter((row) => row.parameters > 0).map(({ name, kind: type, parameters }) => [name, type, formatCount(parameters)]);
  const shapes = Object.entries(params).map(([name, { shape }]) => [name, `[${shape.join(", ")}]`]);
  return `${table(facts)}\n\n${table(all ? shapes : steps)}`;
}
