// Cross-entropy of a linear head, `chunk` rows of logits at a time; see `EitHeadLoss` in src/fused/kernels.ts. Letters: N rows, D width, V vocabulary.
import { gemm, gemmScratch } from "./gemm";
import { log1 } from "./math";
import { rowExp, rowExpSum, rowMax, rowScale } from "./rows";
import { at, roundUp } from "./simd";

/** Bytes of scratch memory: one chunk of logits, and the products of both directions. */
export function headLossScratch(chunk: i32, D: i32, V: i32): usize {
  const products = max(max(gemmScratch(chunk, V, D), gemmScratch(chunk, D, V)), gemmScratch(V, D, chunk));
  return ((<usize>roundUp(chunk * V, 4)) << 2) + products;
}

/** nll = ln Σ exp(h·Wᵀ) − (h·Wᵀ)[target], 0 where the target is negative (NaN stays NaN there, too). */
export function headLoss(
  N: i32, D: i32, V: i32, chunk: i32,
  h: usize, w: usize, targets: usize,
  nll: usize, lse: usize, scratch: usize,
): void {
  const room = at(scratch, roundUp(chunk * V, 4));
  for (let i0 = 0; i0 < N; i0 += chunk) {
    const n = min(chunk, N - i0);
    gemm(n, V, D, at(h, i0 * D), D, 1, w, 1, D, scratch, V, false, 0, room);
    for (let r = 0; r < n; r++) {
      const row = at(scratch, r * V);
      const most = rowMax(row, V);
      const total = most + log1(rowExpSum(row, V, most));
      const target = load<i32>(at(targets, i0 + r));
      store<f32>(at(lse, i0 + r), total);
      store<f32>(at(nll, i0 + r), target < 0 ? total * 0 : total - load<f32>(at(row, target)));
    }
  }
}

/** With P = (softmax(h·Wᵀ) − onehot)·dy, zero rows where the target is negative: dh = P·W, dW = Pᵀ·h. */
export function headLossGrad(
  N: i32, D: i32, V: i32, chunk: i32,
  dy: usize, h: usize, w: usize, targets: usize, lse: usize,
  dh: usize, dw: usize, scratch: usize,
): void {
  const room = at(scratch, roundUp(chunk * V, 4));
  memory.fill(dw, 0, (<usize>(V * D)) << 2);
  for (let i0 = 0; i0 < N; i0 += chunk) {
    const n = min(chunk, N - i0);
    const rows = at(h, i0 * D);
    gemm(n, V, D, rows, D, 1, w, 1, D, scratch, V, false, 0, room);
    for (let r = 0; r < n; r++) {
      const row = at(scratch, r * V);
      const target = load<i32>(at(targets, i0 + r));
      const weight = load<f32>(at(dy, i0 + r)) * <f32>(target < 0 ? 0 : 1);
      rowExp(row, V, load<f32>(at(lse, i0 + r)));
      rowScale(row, V, weight);
      if (target >= 0) store<f32>(at(row, target), load<f32>(at(row, target)) - weight);
    }
    gemm(n, D, V, scratch, V, 1, w, D, 1, at(dh, i0 * D), D, false, 0, room);
    gemm(V, D, n, scratch, 1, V, rows, D, 1, dw, D, true, 0, room);
  }
}
