// Products of any size and strides, from tiles.
import { packLeft, packRight, tileColumns, tileRows } from "./pack";
import { at, roundUp } from "./simd";
import { tile } from "./tile";

/** Depth, rows and columns packed at once: panels of 4 and 8 KiB stay in the first cache, the left block in the second. */
const depth: i32 = 256;
const blockRows: i32 = 128;
const blockColumns: i32 = 1024;
const tileBytes: usize = 128;

/** Bytes of scratch memory {@link gemm} needs. */
export function gemmScratch(m: i32, n: i32, k: i32): usize {
  const d = min(k, depth);
  const floats = (roundUp(min(m, blockRows), tileRows) + roundUp(min(n, blockColumns), tileColumns)) * d;
  return tileBytes + ((<usize>floats) << 2);
}

/**
 * C [m, n] = A·B (+ C where `accumulate`) (+ bias [n] where not 0). Entry (i, j) of A is at i·ars + j·acs, of B at i·brs + j·bcs;
 * rows of C are `ldc` floats apart. Sums run over k in order, in blocks of `depth`.
 */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, ars: i32, acs: i32,
  b: usize, brs: i32, bcs: i32,
  c: usize, ldc: i32,
  accumulate: bool, bias: usize, scratch: usize,
): void {
  if (k == 0 && !accumulate) return fill(m, n, c, ldc, bias);
  const left = scratch + tileBytes;
  const right = at(left, roundUp(min(m, blockRows), tileRows) * min(k, depth));
  for (let j = 0; j < n; j += blockColumns) {
    const columns = min(blockColumns, n - j);
    for (let p = 0; p < k; p += depth) {
      const deep = min(depth, k - p);
      packRight(at(b, p * brs + j * bcs), brs, bcs, deep, columns, right);
      const first = p == 0 && bias != 0 ? at(bias, j) : 0;
      for (let i = 0; i < m; i += blockRows) {
        const rows = min(blockRows, m - i);
        packLeft(at(a, i * ars + p * acs), ars, acs, rows, deep, left);
        panels(rows, columns, deep, left, right, 8 * deep, at(c, i * ldc + j), ldc, accumulate || p > 0, first, scratch);
      }
    }
  }
}

/**
 * The same of packed operands. `rightStep`: floats between panels of the right operand, at least 8·k: a product may take the first k of a longer one.
 * `scratch`: one tile.
 */
export function panels(
  m: i32, n: i32, k: i32,
  left: usize, right: usize, rightStep: i32,
  c: usize, ldc: i32,
  accumulate: bool, bias: usize, scratch: usize,
): void {
  const row = (<usize>ldc) << 2;
  for (let j = 0; j < n; j += tileColumns) {
    const columns = min(tileColumns, n - j);
    const b = at(right, (j / tileColumns) * rightStep);
    for (let i = 0; i < m; i += tileRows) {
      const rows = min(tileRows, m - i);
      const a = at(left, i * k);
      const to = at(c, i * ldc + j);
      if (rows == tileRows && columns == tileColumns) tile(k, a, b, to, row, accumulate, bias != 0 ? at(bias, j) : 0);
      else edge(rows, columns, k, a, b, to, ldc, accumulate, bias != 0 ? at(bias, j) : 0, scratch);
    }
  }
}

/** A tile that hangs over the edge of C: computed beside it, then copied. */
function edge(
  rows: i32, columns: i32, k: i32,
  a: usize, b: usize,
  c: usize, ldc: i32,
  accumulate: bool, bias: usize, scratch: usize,
): void {
  tile(k, a, b, scratch, 32, false, 0);
  for (let r = 0; r < rows; r++) {
    for (let q = 0; q < columns; q++) {
      const to = at(c, r * ldc + q);
      let x = load<f32>(at(scratch, 8 * r + q));
      if (bias != 0) x += load<f32>(at(bias, q));
      if (accumulate) x += load<f32>(to);
      store<f32>(to, x);
    }
  }
}

/** An empty sum: zeros, or the bias. */
function fill(m: i32, n: i32, c: usize, ldc: i32, bias: usize): void {
  for (let i = 0; i < m; i++) {
    if (bias == 0) memory.fill(at(c, i * ldc), 0, (<usize>n) << 2);
    else memory.copy(at(c, i * ldc), bias, (<usize>n) << 2);
  }
}
