import { counter } from "@eitp/engine/random";
import type { BatchShape, Dataset, HostBatch } from "../spec/index.ts";

export type ChainCursor = { readonly at: number };

export interface ChainOptions {
  readonly vocabulary: number;
  /** Of one micro-batch. */
  readonly shape: BatchShape;
  /** Serve the first micro-batch of a step this many times in place of its successors; default 1. */
  readonly repeat?: number;
}

/**
 * Endless sequences with token' = 3·token + 1 or + 2 (mod V), a fair coin each time: what comes next depends on the token, so that learning
 * it keeps tokens apart. Sequence n is the same however it is cut into micro-batches; two of four predict only every other token, so that
 * micro-batches weigh differently.
 */
export function chainDataset({ vocabulary, shape, repeat = 1 }: ChainOptions): Dataset<ChainCursor> {
  const { sequences, length } = shape;
  return {
    fingerprint: `chain/${vocabulary}/${sequences}x${length}/${repeat}`,
    shape,
    start: () => ({ at: 0 }),
    next: async ({ at }) => ({ batch: chainBatch(vocabulary, shape, Math.floor(at / repeat)), cursor: { at: at + 1 } }),
  };
}

/** Micro-batch number `at` of that size. */
export function chainBatch(vocabulary: number, shape: BatchShape, at: number): HostBatch {
  const { sequences, length } = shape;
  const tokens = new Int32Array(sequences * length);
  const targets = new Int32Array(sequences * length);
  for (let s = 0; s < sequences; s++) {
    const number = at * sequences + s;
    const rng = counter(5).fold("sequence").fold(number);
    let token = rng.bits(0) % vocabulary;
    for (let t = 0; t < length; t++) {
      const next = (3 * token + 1 + (rng.bits(t + 1) & 1)) % vocabulary;
      tokens[s * length + t] = token;
      targets[s * length + t] = number % 4 < 2 && t % 2 === 1 ? -1 : next;
      token = next;
    }
  }
  return { tokens, targets, shape };
}
