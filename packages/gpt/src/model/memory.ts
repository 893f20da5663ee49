import type { BatchShape } from "@eitp/core/spec";
import { checkConfig, type GptOptions } from "./config.ts";
import { parametersOf } from "./steps.ts";
import { structureOf } from "./structure.ts";

/** Bytes of one training step; all values are float32. */
export interface MemoryEstimate {
  readonly parameters: number;
  readonly gradients: number;
  /** What the optimiser keeps. */
  readonly moments: number;
  /** What the tape keeps from the forward pass until the backward pass is over. */
  readonly activations: number;
  /** Gradients of activations and scratch at the fullest moment of the backward pass. */
  readonly backward: number;
  readonly total: number;
}

/** Multiples of [N, width] and of [N, heads, T] that one block leaves on the tape, N = B·T tokens. */
interface Tally {
  readonly rows: number;
  readonly scores: number;
}
// ln_1 1, c_attn 3, heads brought forward 3 and split 3, scaled query 1, mix 1, heads merged 1, c_proj 1, sum 1; ln_2 1, c_fc 4, gelu 4,
// c_proj 1, sum 1. Scores: q·kᵀ, with the mask added, softmax.
const plainBlock: Tally = { rows: 26, scores: 3 };
// Turning queries and keys: permuted 2, times cosine 2, times sine 2, their sum 2, split 2.
const rotaryRows = 10;
// Masks and products of two residual branches, and of the probabilities.
const dropoutBlock: Tally = { rows: 4, scores: 2 };
// GELU's derivative holds thirteen arrays of [N, 4·width] at once …
const geluScratchRows = 52;
// … when, in the first block, the gradients of all that comes before it do not exist yet.
const missingAtGelu: Tally = { rows: 21, scores: 3 };
const defaultHeadBudgetBytes = 64 * 2 ** 20;

/**
 * Peak memory of one micro-batch trained on cross-entropy with the composite engine: distinct buffers, as `tf.memory()` would count if it
 * did not count views of one buffer again. Fused kernels (wasm, native) keep a quarter to two thirds of the activations. Terms that ask for more
 * than `nll`, the process itself and the data are not in it.
 * @param momentsPerWeight numbers the optimiser keeps per weight: 2 for Adam and AdamW (default), 1 for SGD with momentum, 0 for SGD.
 * @throws EitpError "usage" for a configuration that cannot be built.
 * @example
 * ```ts
 * estimateMemory(presets.nano, { sequences: 8, length: 64 }).total / 2 ** 20; // MiB
 * ```
 */
export function estimateMemory(options: GptOptions, { sequences, length }: BatchShape, momentsPerWeight = 2): MemoryEstimate {
  const config = checkConfig(options);
  const { vocabulary, width, layers, heads } = config;
  const refs = parametersOf(structureOf(config));
  const weights = refs.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
  const dropping = config.dropout > 0;

  const tokens = sequences * length;
  const row = tokens * width;
  const score = tokens * heads * length;
  const block = {
    rows: plainBlock.rows + (config.positions === "rotary" ? rotaryRows : 0) + (dropping ? dropoutBlock.rows : 0),
    scores: plainBlock.scores + (dropping ? dropoutBlock.scores : 0),
  };
  const bias = config.positions === "alibi" ? (heads + 1) * length ** 2 : length ** 2;
  const blocks = layers * (block.rows * row + block.scores * score + bias);

  const positions = config.positions === "learned" ? row + length * width : 0;
  const embedding = row + positions + (config.tokenShift ? 4 * row : 0) + (dropping ? 2 * row : 0);
  // ln_f, the head's rows of the targets, their product with the hidden states.
  const logitRows = Math.min(tokens, Math.max(1, Math.floor((config.headBudgetBytes ?? defaultHeadBudgetBytes) / (4 * vocabulary))));
  const chunked = logitRows < tokens;
  const head = 3 * row + (chunked ? 0 : tokens * vocabulary);
  const activations = embedding + blocks + head;

  // The tied table gets its gradient in parts, which live until the backward pass ends.
  const tableParts = 3 * vocabulary * width;
  const atEnd = blocks - layers * bias + embedding - length * width + head + tableParts;
  const atGelu = atEnd - missingAtGelu.rows * row - missingAtGelu.scores * score + geluScratchRows * row;
  const atHead = (chunked ? 3 * logitRows : 2 * tokens) * vocabulary;
  const backward = Math.max(atEnd, atGelu, atHead);

  const bytes = (numbers: number): number => 4 * numbers;
  return {
    parameters: bytes(weights),
    gradients: bytes(weights),
    moments: bytes(momentsPerWeight * weights),
    activations: bytes(activations),
    backward: bytes(backward),
    total: bytes((2 + momentsPerWeight) * weights + activations + backward),
  };
}
