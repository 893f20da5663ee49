import { assert } from "@eitp/engine/error";
import type { Series } from "../../metrics/read.ts";

type Point = readonly [step: number, value: number];
/** A line in pieces: a gap wherever a value is not finite. */
export interface Pieces {
  readonly pieces: readonly (readonly Point[])[];
  /** Values that are NaN or infinite, in all. */
  readonly gaps: number;
  readonly downsampled: boolean;
}

/**
 * At most about `4 · buckets` points that look the same: equal ranges of the list, of each the first, smallest, largest and last value,
 * so that no peak is lost (averages or every n-th point would lose them).
 */
export function downsample({ steps, values }: Series, buckets: number): Pieces {
  const size = Math.max(1, Math.ceil(values.length / buckets));
  const downsampled = size > 4;
  const pieces: Point[][] = [];
  let piece: Point[] = [];
  let gaps = 0;
  const close = (): void => {
    if (piece.length > 0) pieces.push(piece);
    piece = [];
  };
  const width = downsampled ? size : 1;
  for (let start = 0; start < values.length; start += width) {
    const end = Math.min(values.length, start + width);
    const finite: number[] = [];
    for (let i = start; i < end; i += 1) if (Number.isFinite(values[i])) finite.push(i);
    for (const i of outline(finite, values)) piece.push([at(steps, i), at(values, i)]);
    gaps += end - start - finite.length;
    // One gap a bucket, so that a run of alternating NaN does not become a file of a million pieces.
    if (finite.length < end - start) close();
  }
  close();
  return { pieces, gaps, downsampled };
}

/** Of some indices: first, the two extremes, last; in order, without repetition. */
function outline(indices: readonly number[], values: readonly number[]): readonly number[] {
  const [first] = indices;
  const last = indices.at(-1);
  if (first === undefined || last === undefined) return [];
  let [low, high] = [first, first];
  for (const i of indices) {
    if (at(values, i) < at(values, low)) low = i;
    if (at(values, i) > at(values, high)) high = i;
  }
  return [...new Set([first, low, high, last])].sort((a, b) => a - b);
}

function at(list: readonly number[], i: number): number {
  const value = list[i];
  assert(value !== undefined, `index ${i} outside a series of ${list.length}`);
  return value;
}
