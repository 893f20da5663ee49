// Passes over whole tensors.
import { at } from "./simd";

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
