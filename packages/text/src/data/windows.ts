import type { BatchShape, HostBatch } from "@eitp/core/spec";
import { EitpError } from "@eitp/engine/error";
import type { TokenSource } from "./token-source.ts";

/** A stretch of the source that becomes one row: `length` inputs and, one token later, their targets. */
export interface Window {
  readonly start: number;
  /** Number of targets; the rest of the row is padding. */
  readonly length: number;
}
export interface WindowOptions {
  /** Give −1 to the first token of a document as a target, so that nothing is predicted from another document. */
  readonly ignoreAcrossDocuments: boolean;
}

/** One micro-batch of a row for each window; missing windows and the ends of short ones are token 0 with target −1. */
export async function batchOf(
  source: TokenSource,
  windows: readonly Window[],
  shape: BatchShape,
  options: WindowOptions,
): Promise<HostBatch> {
  const tokens = new Int32Array(shape.sequences * shape.length);
  const targets = new Int32Array(shape.sequences * shape.length).fill(-1);
  for (const [row, { start, length }] of windows.entries()) {
    const stretch = await source.read(start, length + 1);
    const base = row * shape.length;
    tokens.set(stretch.subarray(0, length), base);
    targets.set(stretch.subarray(1), base);
    if (options.ignoreAcrossDocuments && source.startsIn)
      for (const at of source.startsIn(start + 1, start + length + 1)) targets[base + at - start - 1] = -1;
  }
  return { tokens, targets, shape };
}

/** Refuses shapes that are no shapes, and documents left out where the source does not know them. */
export function checkWindows(source: TokenSource, { sequences, length }: BatchShape, { ignoreAcrossDocuments }: WindowOptions): void {
  for (const [name, value] of Object.entries({ sequences, length })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new EitpError("usage", `shape.${name} must be a positive integer, not ${value}. Set it in the batch shape.`);
  }
  if (ignoreAcrossDocuments && !source.startsIn) {
    throw new EitpError(
      "usage",
      "ignoreAcrossDocuments needs a token source that knows where documents start (startsIn). Leave the option out.",
    );
  }
}
