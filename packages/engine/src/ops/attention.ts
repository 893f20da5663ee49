import { add, customGrad, type GradSaveFunc, matMul, mul, reshape, softmax, split, type Tensor, transpose } from "@tensorflow/tfjs-core";
import { EitpError } from "../error.ts";
import { isFused } from "../fused/kernels.ts";
import { run } from "../fused/run.ts";
import { alibiBias, causalMask, halfTurn, logNScale, rotaryTables } from "./attention-tables.ts";
import { requireShape } from "./fits.ts";
import type { AttentionOptions } from "./types.ts";

/** Queries (scaled, and turned where positions are rotary), keys and values of each head: [B, H, T, d]. */
export interface Heads {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/**
 * Packed [B, T, 3D] → heads. Linear in `qkv`, so it serves tangents as well. One transpose brings all 3H heads forward, after which the three
 * parts are contiguous: a 5-dimensional permutation takes the slow path of the wasm backend.
 * @throws EitpError "usage" when the width does not divide into heads, or a rotary head is odd.
 */
export function splitHeads(qkv: Tensor, options: AttentionOptions, offset = 0): Heads {
  const { heads, positions, logN } = options;
  const size = headSize(qkv, options);
  const [batch, tokens] = qkv.shape as [number, number];
  const forward = transpose(reshape(qkv, [batch, tokens, 3 * heads, size]), [0, 2, 1, 3]);
  const [q, k, v] = positions === "rotary" ? turned(forward, offset) : (parts(forward, [1, 1, 1]) as [Tensor, Tensor, Tensor]);
  const scale = 1 / Math.sqrt(size);
  return { q: mul(q, logN === null ? scale : logNScale(tokens, offset, logN, scale)), k, v };
}

function headSize(qkv: Tensor, { heads, positions }: AttentionOptions): number {
  const packed = qkv.shape[2] as number;
  const size = packed / 3 / heads;
  if (qkv.rank !== 3 || !Number.isInteger(size))
    throw new EitpError("usage", `attention expects packed [B, T, 3·D] with D a multiple of ${heads} heads; got [${qkv.shape}]`);
  if (positions === "rotary" && size % 2 !== 0)
    throw new EitpError(
      "usage",
      `rotary positions turn pairs: heads must be of even size; got ${size} (width ${packed / 3}, ${heads} heads)`,
    );
  return size;
}

/** Rotary: x·cos + x·P·sin on queries and keys at once. Su et al., "RoFormer", 2021, eq. 34. */
function turned(forward: Tensor, offset: number): [Tensor, Tensor, Tensor] {
  const [, , tokens, size] = forward.shape as [number, number, number, number];
  const [both, v] = parts(forward, [2, 1]) as [Tensor, Tensor];
  const { cosine, sine } = rotaryTables(tokens, offset, size);
  const quarter = reshape(matMul(reshape(both, [-1, size]), halfTurn(size)), both.shape);
  const [q, k] = parts(add(mul(both, cosine), mul(quarter, sine)), [1, 1]) as [Tensor, Tensor];
  return [q, k, v];
}

/** Splits the heads of [B, n·H, T, d] in the given proportions. Two-dimensional, because the wasm backend copies row by row what has more axes. */
function parts(x: Tensor, proportions: readonly number[]): Tensor[] {
  const [batch, heads, tokens, size] = x.shape as [number, number, number, number];
  const group = heads / proportions.reduce((a, b) => a + b);
  const lengths = proportions.map((p) => p * group * tokens * size);
  const flat = split(reshape(x, [batch, heads * tokens * size]), lengths, 1);
  return flat.map((part, i) => reshape(part, [batch, (proportions[i] as number) * group, tokens, size]));
}

/** Softmax over keys of q·kᵀ + bias: [B, H, T, S], for queries at positions `offset …` over all S = offset + T keys. */
export function probabilities(q: Tensor, k: Tensor, options: AttentionOptions, offset = 0): Tensor {
  const tokens = q.shape[2] as number;
  const scores = matMul(q, k, false, true);
  if (options.positions === "alibi") return softmax(add(scores, alibiBias(options.heads, tokens, offset)));
  // A single query is the last one: it sees every key.
  return softmax(tokens === 1 ? scores : add(scores, causalMask(tokens, offset)));
}

/** [B, H, T, d] → [B, T, D]. */
export function mergeHeads(x: Tensor): Tensor {
  const [batch, heads, tokens, size] = x.shape as [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * size]);
}

/** Causal attention, packed [B, T, 3D] → [B, T, D]. Vaswani et al., 2017, eq. 1. */
export function attention(qkv: Tensor, options: AttentionOptions): Tensor {
  if (isFused("EitAttention")) return fusedAttention(qkv, options);
  const { q, k, v } = splitHeads(qkv, options);
  return mergeHeads(matMul(dropped(probabilities(q, k, options), options), v));
}

/** The probabilities {@link attention} uses, before dropout: [B, H, T, T]. */
export function attentionProbabilities(qkv: Tensor, options: AttentionOptions): Tensor {
  const { q, k } = splitHeads(qkv, options);
  return probabilities(q, k, options);
}

/** Probabilities after the dropout mask, where there is one. */
export function dropped(a: Tensor, options: AttentionOptions): Tensor {
  return options.dropout === undefined ? a : mul(a, options.dropout);
}

function fusedAttention(qkv: Tensor, options: AttentionOptions): Tensor {
  const { heads, positions, logN, dropout } = options;
  headSize(qkv, options);
  const attributes = { heads, positions, logN: logN ?? 0 };
  if (dropout === undefined) return run("EitAttention", { qkv }, attributes)[0] as Tensor;
  const [batch, tokens] = qkv.shape as [number, number];
  requireShape("attention", "a dropout mask", dropout, [batch, heads, tokens, tokens]);
  const masked = customGrad((...args) => {
    const [x, save] = args as unknown as [Tensor, GradSaveFunc];
    const [y, lse] = run("EitAttention", { qkv: x, mask: dropout }, attributes) as readonly [Tensor, Tensor];
    // The mask, too: made inside the differentiated function, it would be gone when the backward runs.
    save([x, y, lse, dropout]);
    return {
      value: y,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x0, y0, lse0, mask] = saved as [Tensor, Tensor, Tensor, Tensor];
        return run("EitAttentionGrad", { dy, y: y0, qkv: x0, lse: lse0, mask }, attributes)[0] as Tensor;
      },
    };
  });
  return masked(qkv);
}
