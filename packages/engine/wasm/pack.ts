// Operands of a product, copied into the order in which the tile reads them. Any strides: a transposed operand costs nothing more.
import { at } from "./simd";

/** Rows of the left operand a tile takes. */
export const tileRows: i32 = 4;
/** Columns of the right operand a tile takes. */
export const tileColumns: i32 = 8;

/** Four floats from each of four rows `stride` bytes apart, transposed: `step` bytes between the four results. */
@inline
function transpose4(from: usize, stride: usize, to: usize, step: usize): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from + stride);
  const r2 = v128.load(from + 2 * stride);
  const r3 = v128.load(from + 3 * stride);
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const c = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(a, c, 0, 1, 4, 5));
  v128.store(to + step, v128.shuffle<f32>(a, c, 2, 3, 6, 7));
  v128.store(to + 2 * step, v128.shuffle<f32>(b, d, 0, 1, 4, 5));
  v128.store(to + 3 * step, v128.shuffle<f32>(b, d, 2, 3, 6, 7));
}

/** Left operand [m, k], entry (i, j) at i·rs + j·cs: panels of four rows, [⌈m/4⌉][k][4], zeros below the last row. */
export function packLeft(a: usize, rs: i32, cs: i32, m: i32, k: i32, to: usize): void {
  for (let i = 0; i < m; i += 4) {
    const rows = min(4, m - i);
    const from = at(a, i * rs);
    let j = 0;
    if (rows == 4 && cs == 1) {
      for (; j + 4 <= k; j += 4) {
        transpose4(at(from, j), (<usize>rs) << 2, to, 16);
        to += 64;
      }
    } else if (rows == 4 && rs == 1) {
      for (; j < k; j++) {
        v128.store(to, v128.load(at(from, j * cs)));
        to += 16;
      }
    }
    for (; j < k; j++) {
      for (let r = 0; r < 4; r++) store<f32>(at(to, r), r < rows ? load<f32>(at(from, r * rs + j * cs)) : 0);
      to += 16;
    }
  }
}

/** Right operand [k, n], entry (i, j) at i·rs + j·cs: panels of eight columns, [⌈n/8⌉][k][8], zeros right of the last column. */
export function packRight(b: usize, rs: i32, cs: i32, k: i32, n: i32, to: usize): void {
  for (let j = 0; j < n; j += 8) {
    const columns = min(8, n - j);
    const from = at(b, j * cs);
    let i = 0;
    if (columns == 8 && cs == 1) {
      for (; i < k; i++) {
        const row = at(from, i * rs);
        v128.store(to, v128.load(row));
        v128.store(to, v128.load(row, 16), 16);
        to += 32;
      }
    } else if (columns == 8 && rs == 1) {
      for (; i + 4 <= k; i += 4) {
        transpose4(at(from, i), (<usize>cs) << 2, to, 32);
        transpose4(at(from, i + 4 * cs), (<usize>cs) << 2, to + 16, 32);
        to += 128;
      }
    }
    for (; i < k; i++) {
      for (let c = 0; c < 8; c++) store<f32>(at(to, c), c < columns ? load<f32>(at(from, i * rs + c * cs)) : 0);
      to += 32;
    }
  }
}
