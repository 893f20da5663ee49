import { counterRng, EitpError } from "@eitp/engine";
import { dispose, keep, tidy } from "@tensorflow/tfjs-core";
import type { AnyDataset, Model, Params, Saved } from "../spec/index.ts";
import { batchTensors, checkBatch, countTargets } from "./batch.ts";

/** Held-out loss, in three units. */
export interface Evaluation {
  /** Mean negative log-likelihood of a target token, nats. */
  readonly nll: number;
  /** exp(nll). */
  readonly perplexity: number;
  /** nll / ln 2 / bytes per token; where the text's bytes per token are known. */
  readonly bitsPerByte?: number;
  /** Target tokens it is the mean of. */
  readonly tokens: number;
}
/** How much to evaluate, and what the text weighs. */
export interface EvaluateOptions {
  /** At most this many batches, ≥ 1; needed for endless data. */
  readonly batches?: number;
  /** UTF-8 bytes per target token, > 0, for bits per byte. */
  readonly bytesPerToken?: number;
  /** Aborting ends the evaluation with an error "interrupted". */
  readonly signal?: AbortSignal;
}

/**
 * Held-out loss: dropout off, the data set from its start, every target token once, summed in float64. Changes nothing.
 * @throws EitpError "data" where there is no target token, "nonFinite" where the loss is not finite, "interrupted" when aborted.
 */
export async function evaluate(model: Model, params: Params, dataset: AnyDataset, options: EvaluateOptions = {}): Promise<Evaluation> {
  const rng = counterRng(0).fold("evaluate");
  const batches = Math.min(options.batches ?? Number.POSITIVE_INFINITY, dataset.batches ?? Number.POSITIVE_INFINITY);
  if (batches === Number.POSITIVE_INFINITY) throw new EitpError("usage", "evaluation over endless data: give `batches`");
  let cursor: Saved = dataset.start(rng.fold("data"));
  let total = 0;
  let tokens = 0;
  for (let i = 0; i < batches; i++) {
    if (options.signal?.aborted === true) throw new EitpError("interrupted", "evaluation was interrupted");
    const { batch, cursor: next } = await dataset.next(cursor);
    cursor = next;
    checkBatch(batch, model.shape.vocabulary);
    const nll = tidy(() => {
      const supplied = model.apply(params, batchTensors(batch), new Set(["nll"]), { training: false, rng });
      if (supplied.nll === undefined) throw new EitpError("usage", "the model does not supply 'nll', which evaluation needs");
      return keep(supplied.nll.clone());
    });
    const values = await nll.data();
    dispose(nll);
    for (const v of values) total += v;
    tokens += countTargets(batch);
  }
  if (tokens === 0) throw new EitpError("data", "the held-out data has no target token; give more text or a larger validation fraction");
  const mean = total / tokens;
  if (!Number.isFinite(mean))
    throw new EitpError("nonFinite", `the held-out loss is ${mean} over ${tokens} tokens; the parameters are not finite or overflow`);
  const { bytesPerToken } = options;
  return {
    nll: mean,
    perplexity: Math.exp(mean),
    ...(bytesPerToken !== undefined && { bitsPerByte: mean / Math.LN2 / bytesPerToken }),
    tokens,
  };
}
