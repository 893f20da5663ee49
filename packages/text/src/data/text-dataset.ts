import type { BatchShape, Dataset } from "@eitp/core/spec";
import { EitpError } from "@eitp/engine/error";
import { type Counter, counter } from "@eitp/engine/random";
import { permutation } from "./permutation.ts";
import type { TokenSource } from "./token-source.ts";
import { batchOf, checkWindows, type Window } from "./windows.ts";

/** Place in the sequence of windows: everything that decides what comes next. */
export type TextCursor = {
  /** Integer from 0 to 2⁵³ − 1, drawn at the start. */
  readonly seed: number;
  readonly epoch: number;
  /** Windows of this epoch that are done. */
  readonly at: number;
};

/** Options of {@link textDataset}. */
export interface TextDatasetOptions {
  readonly tokens: TokenSource;
  /** Rows and tokens per row of one micro-batch. */
  readonly shape: BatchShape;
  /**
   * "epochs" (default): non-overlapping windows, each once per epoch, in a new order and with a new offset every epoch.
   * "random": every window starts anywhere, with replacement, as in nanoGPT. "ordered": non-overlapping windows in the order of the text, for ever.
   */
  readonly order?: "epochs" | "random" | "ordered";
  /** Default false: a document's first token is predicted from the one before it, as in GPT-2. True gives it the target −1. */
  readonly ignoreAcrossDocuments?: boolean;
  /** Fixes the order whatever the seed of the run is. */
  readonly seed?: number;
}

/**
 * An endless data set of windows over a token source: row = `length` tokens, targets one token later. Pure; needs O(1) memory beside a batch.
 * The last windows of an epoch share their batch with the first of the next one, so no window is dropped and every batch is full.
 * @throws EitpError "data" where the source is shorter than one window of `length + 1` tokens; "usage" for an impossible shape, order or seed.
 * @example
 * ```ts
 * const data = textDataset({ tokens: memoryTokens(ids), shape: { sequences: 8, length: 64 } });
 * const { batch, cursor } = await data.next(data.start(rng));
 * ```
 */
export function textDataset(options: TextDatasetOptions): Dataset<TextCursor> {
  const { tokens, shape, order = "epochs", ignoreAcrossDocuments = false, seed } = options;
  checkWindows(tokens, shape, { ignoreAcrossDocuments });
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0))
    throw new EitpError("usage", `The seed of a data set must be an integer from 0 to 2^53 - 1, not ${seed}.`);
  if (!["epochs", "random", "ordered"].includes(order))
    throw new EitpError("usage", `The order of a data set must be "epochs", "random" or "ordered", not ${JSON.stringify(order)}.`);
  const { sequences, length } = shape;
  if (tokens.length < length + 1) {
    const message = `The text is too short: one context of ${length} needs ${length + 1} tokens, found ${tokens.length}. Give more text or a shorter context.`;
    throw new EitpError("data", message);
  }
  const plan = order === "random" ? randomWindows(tokens.length, length) : epochWindows(tokens.length, length, order === "epochs");
  return {
    fingerprint: [tokens.fingerprint, `${sequences}x${length}`, order, ...(ignoreAcrossDocuments ? ["within documents"] : [])].join(" "),
    shape,
    start: (rng) => ({ seed: seed ?? rng.bits(0) + (rng.bits(1) >>> 11) * 2 ** 32, epoch: 0, at: 0 }),
    next: async (cursor) => {
      const windows: Window[] = [];
      let { epoch, at } = cursor;
      while (windows.length < sequences) {
        const current = plan(counter(cursor.seed).fold("text"), epoch);
        for (; windows.length < sequences && at < current.count; at++) windows.push({ start: current.start(at), length });
        if (at >= current.count) [epoch, at] = [epoch + 1, 0];
      }
      const batch = await batchOf(tokens, windows, shape, { ignoreAcrossDocuments });
      return { batch, cursor: { seed: cursor.seed, epoch, at } };
    },
  };
}

/** The windows of one epoch. */
interface Plan {
  readonly count: number;
  start(at: number): number;
}

/** A window must leave room for one target after it, so `total − 1` tokens can be inputs. */
function epochWindows(total: number, length: number, shuffled: boolean): (key: Counter, epoch: number) => Plan {
  // The offset moves the seams between windows, so that over the epochs every token is seen with every amount of context.
  const offsets = shuffled ? Math.min(length, total - length) : 1;
  return (key, epoch) => {
    const ofEpoch = key.fold(epoch);
    const offset = Math.floor(ofEpoch.fold("offset").uniform(0) * offsets);
    const count = Math.floor((total - 1 - offset) / length);
    const place = shuffled ? permutation(count, ofEpoch.fold("order")) : (at: number) => at;
    return { count, start: (at) => offset + place(at) * length };
  };
}

function randomWindows(total: number, length: number): (key: Counter, epoch: number) => Plan {
  return (key) => {
    const draw = key.fold("random");
    return { count: Number.POSITIVE_INFINITY, start: (at) => Math.floor(draw.uniform(at) * (total - length)) };
  };
}
