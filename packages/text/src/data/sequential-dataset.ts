import type { BatchShape, Dataset } from "@eitp/core/spec";
import { EitpError } from "@eitp/engine/error";
import type { TokenSource } from "./token-source.ts";
import { batchOf, checkWindows, type Window } from "./windows.ts";

/** The next batch. */
export type SequentialCursor = { readonly batch: number };

/** A data set with an end, for evaluation. */
export interface FiniteDataset<Cursor extends SequentialCursor = SequentialCursor> extends Dataset<Cursor> {
  /** How many batches there are; asking for more throws. */
  readonly batches: number;
  /** Tokens that are predicted in all of them together, before targets across documents are left out. */
  readonly targets: number;
}
/** Options of {@link sequentialDataset}. */
export interface SequentialDatasetOptions {
  readonly tokens: TokenSource;
  readonly shape: BatchShape;
  /** As for `textDataset`; default false. */
  readonly ignoreAcrossDocuments?: boolean;
}

/**
 * Every token but the first as a target exactly once, in order, in non-overlapping windows; what is left over of the last window
 * and batch is padded with target −1.
 * @throws EitpError "data" for fewer than two tokens; "usage" for an impossible shape, and from `next` after the last batch.
 */
export function sequentialDataset(options: SequentialDatasetOptions): FiniteDataset {
  const { tokens, shape, ignoreAcrossDocuments = false } = options;
  checkWindows(tokens, shape, { ignoreAcrossDocuments });
  const { sequences, length } = shape;
  const targets = tokens.length - 1;
  if (targets < 1)
    throw new EitpError("data", `Evaluation needs at least 2 tokens, found ${tokens.length}. Give more text to evaluate on.`);
  const count = Math.ceil(targets / length);
  const batches = Math.ceil(count / sequences);
  return {
    fingerprint: [tokens.fingerprint, `${sequences}x${length}`, "sequential", ...(ignoreAcrossDocuments ? ["within documents"] : [])].join(
      " ",
    ),
    shape,
    batches,
    targets,
    start: () => ({ batch: 0 }),
    next: async ({ batch }) => {
      if (batch >= batches)
        throw new EitpError("usage", `Batch ${batch} was asked for, but the data set ends after ${batches}. Start again at its \`start\`.`);
      const windows: Window[] = [];
      for (let window = batch * sequences; window < Math.min(count, (batch + 1) * sequences); window++) {
        windows.push({ start: window * length, length: Math.min(length, targets - window * length) });
      }
      return { batch: await batchOf(tokens, windows, shape, { ignoreAcrossDocuments }), cursor: { batch: batch + 1 } };
    },
  };
}
