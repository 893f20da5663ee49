import { EitpError } from "@eitp/engine/error";
import type { DistributionOptions } from "./options.ts";

/**
 * Scores after the repetition penalty, float64: s/p where s > 0, s·p where s < 0, for each distinct token of the text so far.
 * @throws EitpError "nonFinite" where a score is NaN or infinite
 * @see Keskar et al. 2019, "CTRL", §4.1
 */
export function penalised(logits: ArrayLike<number>, history: readonly number[], penalty: number): Float64Array {
  const scores = Float64Array.from(logits);
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) {
    throw new EitpError(
      "nonFinite",
      `the logit of token ${bad} is ${scores[bad]} after ${history.length} tokens: the model is broken. Inspect its weights.`,
    );
  }
  for (const token of new Set(history)) {
    const score = scores[token] as number;
    scores[token] = score < 0 ? score * penalty : score / penalty;
  }
  return scores;
}

/** Index of the highest score, the first of equal ones. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
  return best;
}

/**
 * Probabilities of the next token, float64: repetition penalty, then temperature, then top-k, then top-p, then softmax — the order and
 * meaning of `transformers`. Tokens that tie at an edge are kept together, so that no sort order decides. 0 where a token is excluded.
 * @param logits one row, [V]
 * @param history the text so far, for the penalty
 * @throws EitpError "nonFinite" where a logit is NaN or infinite
 * @example
 * ```ts
 * nextTokenDistribution([2, 1, 0], [], { topK: 2 }); // [0.731…, 0.268…, 0]
 * ```
 */
export function nextTokenDistribution(
  logits: ArrayLike<number>,
  history: readonly number[],
  options: DistributionOptions = {},
): Float64Array {
  const { temperature = 1, topK, topP, repetitionPenalty = 1 } = options;
  const scores = penalised(logits, history, repetitionPenalty);
  for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] as number) / temperature;
  if (topK !== undefined && topK < scores.length) exclude(scores, kthHighest(scores, topK));
  if (topP !== undefined && topP < 1) exclude(scores, nucleusEdge(scores, topP));
  return softmax(scores);
}

/** The token whose interval of the cumulative distribution holds `u`, uniform in [0, 1). */
export function draw(probabilities: Float64Array, u: number): number {
  let cumulative = 0;
  let last = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] as number;
    if (p === 0) continue;
    cumulative += p;
    last = i;
    if (u < cumulative) return i;
  }
  return last; // rounding left the sum a little below 1
}

function exclude(scores: Float64Array, least: number): void {
  for (let i = 0; i < scores.length; i++) if ((scores[i] as number) < least) scores[i] = -Infinity;
}

function kthHighest(scores: Float64Array, k: number): number {
  return scores.slice().sort()[scores.length - k] as number;
}

/** Lowest score of the smallest set of likeliest tokens whose probability reaches `topP`. */
function nucleusEdge(scores: Float64Array, topP: number): number {
  const descending = scores.slice().sort().reverse();
  const probabilities = softmax(descending);
  let mass = 0;
  const edge = descending.findIndex((_, i) => {
    mass += probabilities[i] as number;
    return mass >= topP;
  });
  return edge < 0 ? -Infinity : (descending[edge] as number); // < 0: rounding left the sum below topP
}

function softmax(scores: Float64Array): Float64Array {
  const highest = scores[argmax(scores)] as number;
  const weights = scores.map((score) => Math.exp(score - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
