// Causal attention, one head after the other, a block of queries at a time against all keys they see. Scratch memory grows with T, not with T²;
// what lies beyond the diagonal's block is never computed. Shapes as in `EitAttention` of src/fused/kernels.ts: packed rows [q | k | v] of 3·H·d floats.
import { panels } from "./gemm";
import { gatherHead, scatterHead } from "./heads";
import { log1 } from "./math";
import { packLeft, packRight } from "./pack";
import { rowDot, rowExp, rowMax, rowMultiply, rowScale } from "./rows";
import { at, roundUp } from "./simd";

/** Queries at once: fewer waste less beyond the diagonal, more share better what is done once per block. */
const block: i32 = 32;

// Scratch memory of one call.
let corner: usize = 0;
let queries: usize = 0;
let keys: usize = 0;
let keyColumns: usize = 0;
let keyRows: usize = 0;
let valueColumns: usize = 0;
let scores: usize = 0;
let slopes: usize = 0;
let left: usize = 0;
let right: usize = 0;
let keyGradient: usize = 0;
let queryGradient: usize = 0;
let cursor: usize = 0;

function take(floats: i32): usize {
  const here = cursor;
  cursor += (<usize>roundUp(floats, 4)) << 2;
  return here;
}

/** Lays the scratch memory out from `base` and returns its end. The backward takes a little more than the forward. */
function layOut(base: usize, T: i32, d: i32, backward: bool): usize {
  const wide = roundUp(T, 8);
  const deep = roundUp(d, 8);
  cursor = base;
  corner = take(32);
  queries = take(T * d);
  keys = take(T * d);
  keyColumns = take(wide * d);
  valueColumns = take(backward ? wide * d : T * deep);
  scores = take(block * wide);
  left = take(block * max(wide, deep));
  if (backward) {
    keyRows = take(T * deep);
    slopes = take(block * wide);
    right = take(block * deep);
    keyGradient = take(T * d);
    queryGradient = take(block * d);
  }
  return cursor;
}

/** Bytes of scratch memory {@link attention} and {@link attentionGrad} need. */
export function attentionScratch(T: i32, d: i32): usize {
  return layOut(0, T, d, true);
}

/** Scores of queries i₀ … i₀ + n − 1 of one head over keys 0 … i₀ + n − 1, with ALiBi's −slope·(i − j). */
@inline
function scoresOf(i0: i32, n: i32, d: i32, wide: i32, slope: f32): void {
  packLeft(at(queries, i0 * d), d, 1, n, d, left);
  panels(n, i0 + n, d, left, keyColumns, 8 * d, scores, wide, false, 0, corner);
  if (slope == 0) return;
  for (let r = 0; r < n; r++) {
    const row = at(scores, r * wide);
    for (let j = 0; j <= i0 + r; j++) store<f32>(at(row, j), load<f32>(at(row, j)) + slope * <f32>(j - i0 - r));
  }
}

/** Queries scaled and turned, keys turned, both contiguous; keys packed as columns. */
function prepare(T: i32, d: i32, qkv: usize, width: i32, scales: usize, cosine: usize, sine: usize): void {
  gatherHead(T, d, qkv, 3 * width, scales, cosine, sine, queries);
  gatherHead(T, d, at(qkv, width), 3 * width, 0, cosine, sine, keys);
  packRight(keys, 1, d, d, T, keyColumns);
}

/**
 * out = (softmax(q̂·k̂ᵀ + bias) ∘ mask)·v. `scales` [T]: what queries are multiplied by. `cosine`, `sine` [T, d], `alibi` [H], `mask` [B, H, T, T]: 0 where there is none.
 */
export function attention(
  B: i32, T: i32, H: i32, d: i32,
  qkv: usize, mask: usize, scales: usize, cosine: usize, sine: usize, alibi: usize,
  out: usize, lse: usize, scratch: usize,
): void {
  const width = H * d;
  const wide = roundUp(T, 8);
  layOut(scratch, T, d, false);
  for (let head = 0; head < B * H; head++) {
    const first = (head / H) * T;
    const h = head % H;
    const packed = at(qkv, 3 * first * width + h * d);
    const slope: f32 = alibi != 0 ? load<f32>(at(alibi, h)) : 0;
    prepare(T, d, packed, width, scales, cosine, sine);
    packRight(at(packed, 2 * width), 3 * width, 1, T, d, valueColumns);
    for (let i0 = 0; i0 < T; i0 += block) {
      const n = min(block, T - i0);
      scoresOf(i0, n, d, wide, slope);
      for (let r = 0; r < n; r++) {
        const i = i0 + r;
        const row = at(scores, r * wide);
        const most = rowMax(row, i + 1);
        const sum = rowExp(row, i + 1, most);
        store<f32>(at(lse, head * T + i), most + log1(sum));
        rowScale(row, i + 1, 1 / sum);
        if (mask != 0) rowMultiply(row, at(mask, (head * T + i) * T), i + 1);
        memory.fill(at(row, i + 1), 0, (<usize>(i0 + n - i - 1)) << 2);
      }
      packLeft(scores, wide, 1, n, i0 + n, left);
      panels(n, d, i0 + n, left, valueColumns, 8 * T, at(out, (first + i0) * width + h * d), width, false, 0, corner);
    }
  }
}

/**
 * With P recomputed from `lse`, M the mask: dv = (P∘M)ᵀ·dy, dP = (dy·vᵀ)∘M, dS = P∘(dP − rowsum(P∘dP)), dq̂ = dS·k̂, dk̂ = dSᵀ·q̂; both turned back.
 */
export function attentionGrad(
  B: i32, T: i32, H: i32, d: i32,
  dy: usize, qkv: usize, lse: usize, mask: usize, scales: usize, cosine: usize, sine: usize, alibi: usize,
  dqkv: usize, scratch: usize,
): void {
  const width = H * d;
  const wide = roundUp(T, 8);
  layOut(scratch, T, d, true);
  memory.fill(dqkv, 0, (<usize>(3 * B * T * width)) << 2);
  for (let head = 0; head < B * H; head++) {
    const first = (head / H) * T;
    const h = head % H;
    const offset = 3 * first * width + h * d;
    const packed = at(qkv, offset);
    const gradient = at(dqkv, offset);
    const slope: f32 = alibi != 0 ? load<f32>(at(alibi, h)) : 0;
    prepare(T, d, packed, width, scales, cosine, sine);
    packRight(keys, d, 1, T, d, keyRows);
    packRight(at(packed, 2 * width), 1, 3 * width, d, T, valueColumns);
    memory.fill(keyGradient, 0, (<usize>(T * d)) << 2);
    for (let i0 = 0; i0 < T; i0 += block) {
      const n = min(block, T - i0);
      const seen = i0 + n;
      const dOut = at(dy, (first + i0) * width + h * d);
      scoresOf(i0, n, d, wide, slope);
      packLeft(dOut, width, 1, n, d, left);
      panels(n, seen, d, left, valueColumns, 8 * d, slopes, wide, false, 0, corner);
      for (let r = 0; r < n; r++) {
        const i = i0 + r;
        const p = at(scores, r * wide);
        const s = at(slopes, r * wide);
        const m = mask != 0 ? at(mask, (head * T + i) * T) : 0;
        rowExp(p, i + 1, load<f32>(at(lse, head * T + i)));
        if (mask != 0) rowMultiply(s, m, i + 1);
        toSlopes(p, s, i + 1, rowDot(p, s, i + 1));
        if (mask != 0) rowMultiply(p, m, i + 1);
        const beyond = (<usize>(seen - i - 1)) << 2;
        memory.fill(at(p, i + 1), 0, beyond);
        memory.fill(at(s, i + 1), 0, beyond);
      }
      packLeft(scores, 1, wide, seen, n, left);
      packRight(dOut, width, 1, n, d, right);
      panels(seen, d, n, left, right, 8 * n, at(gradient, 2 * width), 3 * width, true, 0, corner);
      packLeft(slopes, 1, wide, seen, n, left);
      packRight(at(queries, i0 * d), d, 1, n, d, right);
      panels(seen, d, n, left, right, 8 * n, keyGradient, d, true, 0, corner);
      packLeft(slopes, wide, 1, n, seen, left);
      panels(n, d, seen, left, keyRows, 8 * T, queryGradient, d, false, 0, corner);
      const turn: usize = cosine != 0 ? at(cosine, i0 * d) : 0;
      const side: usize = cosine != 0 ? at(sine, i0 * d) : 0;
      scatterHead(n, d, queryGradient, at(scales, i0), turn, side, at(gradient, 3 * i0 * width), 3 * width);
    }
    scatterHead(T, d, keyGradient, 0, cosine, sine, at(gradient, width), 3 * width);
  }
}

/** s ← p∘(s − mean). */
@inline
function toSlopes(p: usize, s: usize, n: i32, mean: f32): void {
  const m4 = f32x4.splat(mean);
  let j = 0;
  for (; j + 4 <= n; j += 4) v128.store(at(s, j), f32x4.mul(v128.load(at(p, j)), f32x4.sub(v128.load(at(s, j)), m4)));
  for (; j < n; j++) store<f32>(at(s, j), load<f32>(at(p, j)) * (load<f32>(at(s, j)) - mean));
}
