import type { Params } from "@eitp/core/spec";
import { type AttentionCache, assert, attentionStep, primal } from "@eitp/engine";
import { dispose, gather, slice, type Tensor, type Tensor2D, tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { GptModel } from "../model/gpt.ts";

/**
 * Texts of equal length and what attention remembers of them. Equal lengths need neither padding nor masks, so each text is computed as it
 * would be alone. Letters: B texts, t new tokens, D width, V vocabulary.
 */
export interface CachedRows {
  /** Tokens remembered. */
  readonly length: number;
  /** Scores of the token after `tokens`, one array per text; one asynchronous read. */
  append(tokens: readonly (readonly number[])[]): Promise<readonly Float32Array[]>;
  /** Goes on with these texts only, in this order. */
  keep(rows: readonly number[]): void;
  /** Forgets everything; the next `append` starts at position 0. */
  dispose(): void;
}

/** An empty memory; see {@link CachedRows}. The caller disposes it. */
export function cachedRows(model: GptModel, params: Params): CachedRows {
  const { vocabulary, layers, tokenShift } = model.config;
  let caches: readonly AttentionCache[] = [];
  let length = 0;
  let last: readonly number[] = []; // for the token shift

  const replace = (next: readonly AttentionCache[]): void => {
    for (const { keys, values } of caches) dispose([keys, values]);
    caches = next;
  };

  return {
    get length() {
      return length;
    },
    async append(tokens) {
      const added = tokens[0]?.length ?? 0;
      assert(added > 0 && tokens.every((row) => row.length === added), "generation appends equally many tokens to each text, at least one");
      const [logits, ...flat] = tidy(() => {
        const before = tokenShift && length > 0 ? tensor2d([...last], [last.length, 1], "int32") : undefined;
        const ids: Tensor2D = tensor2d(tokens.flat(), [tokens.length, added], "int32");
        let x: Tensor = model.embed(params, ids, { offset: length, before });
        const next: Tensor[] = [];
        for (let layer = 0; layer < layers; layer++) {
          x = model.block(primal, params, layer, x, {
            attend(qkv, options) {
              const step = attentionStep(qkv, caches[layer] ?? null, options);
              next.push(step.cache.keys, step.cache.values);
              return step.out;
            },
          });
        }
        // Only the last position is asked for: the head is the dearest product of all.
        return [model.logits(params, slice(x, [0, added - 1, 0], [-1, 1, -1])), ...next];
      });
      assert(logits !== undefined, "generation computed no logits");
      replace(pairs(flat));
      length += added;
      last = tokens.map((row) => row[added - 1] as number);
      try {
        const scores = (await logits.data()) as Float32Array;
        return tokens.map((_, row) => scores.subarray(row * vocabulary, (row + 1) * vocabulary));
      } finally {
        logits.dispose();
      }
    },
    keep(rows) {
      if (rows.length === last.length && rows.every((row, i) => row === i)) return;
      replace(
        pairs(
          tidy(() => caches.flatMap(({ keys, values }) => [keys, values].map((tensor) => gather(tensor, tensor1d([...rows], "int32"))))),
        ),
      );
      last = rows.map((row) => last[row] as number);
    },
    dispose() {
      replace([]);
      length = 0;
      last = [];
    },
  };
}

function pairs(flat: readonly Tensor[]): readonly AttentionCache[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({ keys: flat[2 * i] as Tensor, values: flat[2 * i + 1] as Tensor }));
}
