import type { BatchShape } from "@eitp/core/spec";
import type { GptConfig } from "./config.ts";

/** Numbers (not bytes) that one micro-batch's passes hold beside weights and their gradients. */
export interface PassTally {
  readonly activations: number;
  readonly backward: number;
}
// Letters: N = B·T tokens, a row is [N, width], scores are [N, heads, T].
const rowsOf = ({ width }: GptConfig, { sequences, length }: BatchShape): number => sequences * length * width;
const scoresOf = ({ heads }: GptConfig, { sequences, length }: BatchShape): number => sequences * length ** 2 * heads;

/** Rows that the embedding leaves on the tape, and as many gradients of them: the sum, the positions, the token shift, the dropout. */
function embeddingRows({ positions, tokenShift, dropout }: GptConfig): number {
  return 1 + (positions === "learned" ? 1 : 0) + (tokenShift ? 4 : 0) + (dropout > 0 ? 2 : 0);
}

/** A block of composed operations, in rows and scores. */
interface BlockTally {
  readonly rows: number;
  readonly scores: number;
}
// ln_1 1, c_attn 3, heads brought forward 3 and split 3, scaled query 1, mix 1, heads merged 1, c_proj 1, sum 1; ln_2 1, c_fc 4, gelu 4,
// c_proj 1, sum 1. Scores: q·kᵀ, with the mask added, softmax.
const plainBlock: BlockTally = { rows: 26, scores: 3 };
// Turning queries and keys: permuted 2, times cosine 2, times sine 2, their sum 2, split 2.
const rotaryRows = 10;
// Masks and products of two residual branches, and of the probabilities.
const dropoutBlock: BlockTally = { rows: 4, scores: 2 };
// GELU's derivative holds thirteen arrays of [N, 4·width] at once …
const geluScratchRows = 52;
// … when, in the first block, the gradients of all that comes before it do not exist yet.
const missingAtGelu: BlockTally = { rows: 21, scores: 3 };
const defaultHeadBudgetBytes = 64 * 2 ** 20;

/** Operations composed of ordinary tfjs kernels. */
export function composedPass(config: GptConfig, shape: BatchShape): PassTally {
  const { vocabulary, width, layers, heads } = config;
  const { length } = shape;
  const tokens = shape.sequences * length;
  const row = rowsOf(config, shape);
  const score = scoresOf(config, shape);
  const dropping = config.dropout > 0;
  const block = {
    rows: plainBlock.rows + (config.positions === "rotary" ? rotaryRows : 0) + (dropping ? dropoutBlock.rows : 0),
    scores: plainBlock.scores + (dropping ? dropoutBlock.scores : 0),
  };
  const bias = config.positions === "alibi" ? (heads + 1) * length ** 2 : length ** 2;
  const blocks = layers * (block.rows * row + block.scores * score);
  const embedding = embeddingRows(config) * row;
  // ln_f, the head's rows of the targets, their product with the hidden states.
  const logitRows = Math.min(tokens, Math.max(1, Math.floor((config.headBudgetBytes ?? defaultHeadBudgetBytes) / (4 * vocabulary))));
  const chunked = logitRows < tokens;
  const head = 3 * row + (chunked ? 0 : tokens * vocabulary);

  // The tied table gets its gradient in parts, which live until the backward pass ends.
  const atEnd = blocks + embedding + head + 3 * vocabulary * width;
  const atGelu = atEnd - missingAtGelu.rows * row - missingAtGelu.scores * score + geluScratchRows * row;
  const atHead = (chunked ? 3 * logitRows : 2 * tokens) * vocabulary;
  return { activations: embedding + slice(config, length) + blocks + layers * bias + head, backward: Math.max(atEnd, atGelu, atHead) };
}

/** The part of the learned positions that is added, and the gradient of it. */
const slice = ({ positions, width }: GptConfig, length: number): number => (positions === "learned" ? length * width : 0);

// ln_1 1, c_attn 3, attention 1, c_proj 1, sum 1; ln_2 1, c_fc 4, gelu 4, c_proj 1, sum 1. Each is what the next one saves, or the output it saves.
// Backward: of c_proj's input 4, of gelu's 4, of c_fc's 1, of ln_2's 1, sum 1; of c_proj's input 1, of qkv 3, of c_attn's input 1, of ln_1's 1, sum 1.
const fusedRows = 18;
// The masks of two residual branches and their products; in the backward only the gradients of the products.
const fusedDropout = { forward: 4, backward: 2 };

/**
 * Operations that are fused kernels. What tfjs keeps is the same forward and backward: a gradient lives until the whole backward is over, and so
 * do zeros in place of the gradients of the small outputs (mean, r, lse, kept logits) that nothing depends on.
 */
export function fusedPass(config: GptConfig, shape: BatchShape, keptLogitsBytes: number): PassTally {
  const { vocabulary, width, layers, heads } = config;
  const tokens = shape.sequences * shape.length;
  const row = rowsOf(config, shape);
  const dropping = config.dropout > 0;
  // mean and r of two layer norms, lse of each head; of ln_f, and nll and lse of the head.
  const perBlock = (4 + heads) * tokens;
  const perHead = 4 * tokens;
  const kept = 4 * tokens * vocabulary <= keptLogitsBytes ? tokens * vocabulary : 0;
  const embedding = embeddingRows(config) * row + slice(config, shape.length);
  const forward = layers * ((fusedRows + (dropping ? fusedDropout.forward : 0)) * row + (dropping ? scoresOf(config, shape) : 0));
  const backward = layers * (fusedRows + (dropping ? fusedDropout.backward : 0)) * row;
  // Of the embedding, the gradients of its products and sums alone: neither of the masks nor of the positions, whose own is a slice.
  const embeddingGradients = (config.tokenShift ? 4 : 0) * row + (dropping ? row : 0) + slice(config, shape.length);
  // The final norm's and the head's rows; the tied table's gradient comes from two places, whose sum is among the gradients.
  const headGradients = 2 * row + 2 * vocabulary * width;
  return {
    activations: embedding + forward + layers * perBlock + row + perHead + kept,
    backward: embeddingGradients + backward + layers * perBlock + headGradients + perHead + kept,
  };
}
