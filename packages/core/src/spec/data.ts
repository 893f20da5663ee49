import type { Rng } from "./rng.ts";
import type { Saved } from "./saved.ts";

/** Shape of one micro-batch; constant within a run. */
export interface BatchShape {
  readonly sequences: number;
  readonly length: number;
}
/** One micro-batch on the host, row-major [sequences, length]. A target of −1 is not predicted. */
export interface HostBatch {
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
  readonly shape: BatchShape;
}
/** A pure sequence of micro-batches: what comes next is a function of the cursor, which is saved with the run. */
export interface Dataset<Cursor extends Saved> {
  /** Identity of the data (a hash of its content): resuming on other data is refused. */
  readonly fingerprint: string;
  readonly shape: BatchShape;
  /** Micro-batches in one pass, where a pass ends; absent for endless data. */
  readonly batches?: number;
  /** The cursor of the first micro-batch. */
  start(rng: Rng): Cursor;
  /** The micro-batch at a cursor, and the cursor after it. Pure: the same cursor, the same batch. */
  next(cursor: Cursor): Promise<{ readonly batch: HostBatch; readonly cursor: Cursor }>;
}
/** Any data set, whatever its cursor. */
export type AnyDataset = Dataset<Saved>;
