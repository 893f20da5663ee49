import type { LedgerRow, StepRecord } from "@eitp/core/spec";
import { eachLine, readIfThere } from "../run/lines.ts";
import { decodeRecord } from "./codec.ts";

/** One quantity over the steps it was recorded at, in the order of the file. */
export interface Series {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}
/** The gradient ledger of one step. */
export interface LedgerEntry {
  readonly step: number;
  readonly rows: readonly LedgerRow[];
}
/** A checkpoint that was written; retention may have removed it since. */
export interface CheckpointEntry {
  readonly step: number;
  readonly folder: string;
}
/** A `metrics.jsonl`, by quantity. */
export interface Metrics {
  /** Number of lines. */
  readonly records: number;
  /** Largest step of any record, or `undefined` where there is none. */
  readonly lastStep: number | undefined;
  /** From records of kind "step", by key ("ce.loss"). */
  readonly steps: ReadonlyMap<string, Series>;
  /** From records of kind "evaluation". */
  readonly evaluations: ReadonlyMap<string, Series>;
  readonly ledger: readonly LedgerEntry[];
  readonly checkpoints: readonly CheckpointEntry[];
  /** A last line without its newline was left out: the run is being written to, or was killed. */
  readonly torn: boolean;
}

type Growing = Map<string, { readonly steps: number[]; readonly values: number[] }>;

/**
 * Reads a `metrics.jsonl`. A missing or empty file is a run that has not recorded anything yet.
 * @throws EitpError "data" that names the line and field where the file is not what `metricsFile` writes.
 */
export async function readMetrics(path: string): Promise<Metrics> {
  const steps: Growing = new Map();
  const evaluations: Growing = new Map();
  const ledger: LedgerEntry[] = [];
  const checkpoints: CheckpointEntry[] = [];
  let records = 0;
  let lastStep: number | undefined;

  const torn = eachLine((await readIfThere(path)) ?? Buffer.alloc(0), (line, number) => {
    const record = decodeRecord(line, `${path}, line ${number}`);
    records += 1;
    lastStep = Math.max(lastStep ?? 0, record.step);
    if (record.kind === "step") grow(steps, record);
    if (record.kind === "evaluation") grow(evaluations, record);
    if (record.ledger !== undefined) ledger.push({ step: record.step, rows: record.ledger });
    if (record.checkpoint !== undefined) checkpoints.push({ step: record.step, folder: record.checkpoint });
  });
  return { records, lastStep, steps, evaluations, ledger, checkpoints, torn: torn > 0 };
}

function grow(into: Growing, { step, values }: StepRecord): void {
  for (const [key, value] of Object.entries(values)) {
    const series = into.get(key) ?? { steps: [], values: [] };
    series.steps.push(step);
    series.values.push(value);
    into.set(key, series);
  }
}
