// Passes over whole tensors.
import { at, sumOf } from "./simd";

/** sums [d] of rows x [n, d], added in order; four rows at a time, so sums are loaded and stored a quarter as often. */
export function columnSum(n: i32, d: i32, x: usize, sums: usize): void {
  memory.fill(sums, 0, (<usize>d) << 2);
  const row = (<usize>d) << 2;
  let i = 0;
  for (; i < n; i += 4) {
    const from = at(x, i * d);
    const rows = min(4, n - i);
    let j = 0;
    for (; j + 4 <= d; j += 4) {
      let sum = v128.load(at(sums, j));
      let p = at(from, j);
      if (rows == 4) {
        sum = f32x4.add(f32x4.add(sum, v128.load(p)), v128.load(p + row));
        sum = f32x4.add(f32x4.add(sum, v128.load(p + 2 * row)), v128.load(p + 3 * row));
      } else {
        for (let r = 0; r < rows; r++) {
          sum = f32x4.add(sum, v128.load(p));
          p += row;
        }
      }
      v128.store(at(sums, j), sum);
    }
    for (; j < d; j++) {
      let sum = load<f32>(at(sums, j));
      for (let r = 0; r < rows; r++) sum += load<f32>(at(from, r * d + j));
      store<f32>(at(sums, j), sum);
    }
  }
}

/** Floats that are added in float32 before float64 takes over: one running float32 would stop growing at some ten million entries. */
const stretch: i32 = 1024;

/** sums [n] of rows x [n, d]. */
export function rowSums(n: i32, d: i32, x: usize, sums: usize): void {
  for (let i = 0; i < n; i++) {
    const row = at(x, i * d);
    let total: f64 = 0;
    for (let j = 0; j < d; j += stretch) total += <f64>shortSum(at(row, j), min(stretch, d - j));
    store<f32>(at(sums, i), <f32>total);
  }
}

/** In four chains, or each addition would wait for the one before. */
@inline
function shortSum(p: usize, n: i32): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let j = 0;
  for (; j + 16 <= n; j += 16) {
    const q = at(p, j);
    a = f32x4.add(a, v128.load(q));
    b = f32x4.add(b, v128.load(q, 16));
    c = f32x4.add(c, v128.load(q, 32));
    d = f32x4.add(d, v128.load(q, 48));
  }
  for (; j + 4 <= n; j += 4) a = f32x4.add(a, v128.load(at(p, j)));
  let sum = sumOf(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  for (; j < n; j++) sum += load<f32>(at(p, j));
  return sum;
}
