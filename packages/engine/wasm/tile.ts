// The innermost loop: a 4×8 tile of a product in eight vector registers, and how V8 wants it. Larger tiles spill. Of two steps in one turn V8 loads
// everything first, and spills, unless a branch parts them (27 against 45 GFLOPS). Called instead of inlined, the tile loses a tenth.
import { mulAdd } from "./simd";

/** C [4, 8] = A·B (+ C where `accumulate`) (+ bias [8] where not 0), A and B packed panels of depth k. `row`: bytes between rows of C. */
@inline
export function tile(k: i32, left: usize, b: usize, c: usize, row: usize, accumulate: bool, bias: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  const end = left + ((<usize>k) << 4);
  if (left < end) {
    while (true) {
      {
        const b0 = v128.load(b);
        const b1 = v128.load(b, 16);
        let a = v128.load32_splat(left);
        c00 = mulAdd(a, b0, c00);
        c01 = mulAdd(a, b1, c01);
        a = v128.load32_splat(left, 4);
        c10 = mulAdd(a, b0, c10);
        c11 = mulAdd(a, b1, c11);
        a = v128.load32_splat(left, 8);
        c20 = mulAdd(a, b0, c20);
        c21 = mulAdd(a, b1, c21);
        a = v128.load32_splat(left, 12);
        c30 = mulAdd(a, b0, c30);
        c31 = mulAdd(a, b1, c31);
      }
      if (left + 16 == end) break;
      {
        const b0 = v128.load(b, 32);
        const b1 = v128.load(b, 48);
        let a = v128.load32_splat(left, 16);
        c00 = mulAdd(a, b0, c00);
        c01 = mulAdd(a, b1, c01);
        a = v128.load32_splat(left, 20);
        c10 = mulAdd(a, b0, c10);
        c11 = mulAdd(a, b1, c11);
        a = v128.load32_splat(left, 24);
        c20 = mulAdd(a, b0, c20);
        c21 = mulAdd(a, b1, c21);
        a = v128.load32_splat(left, 28);
        c30 = mulAdd(a, b0, c30);
        c31 = mulAdd(a, b1, c31);
      }
      left += 32;
      b += 64;
      if (left >= end) break;
    }
  }
  if (bias != 0) {
    const b0 = v128.load(bias);
    const b1 = v128.load(bias, 16);
    c00 = f32x4.add(c00, b0);
    c01 = f32x4.add(c01, b1);
    c10 = f32x4.add(c10, b0);
    c11 = f32x4.add(c11, b1);
    c20 = f32x4.add(c20, b0);
    c21 = f32x4.add(c21, b1);
    c30 = f32x4.add(c30, b0);
    c31 = f32x4.add(c31, b1);
  }
  if (accumulate) {
    c00 = f32x4.add(c00, v128.load(c));
    c01 = f32x4.add(c01, v128.load(c, 16));
    c10 = f32x4.add(c10, v128.load(c + row));
    c11 = f32x4.add(c11, v128.load(c + row, 16));
    c20 = f32x4.add(c20, v128.load(c + 2 * row));
    c21 = f32x4.add(c21, v128.load(c + 2 * row, 16));
    c30 = f32x4.add(c30, v128.load(c + 3 * row));
    c31 = f32x4.add(c31, v128.load(c + 3 * row, 16));
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c + row, c10);
  v128.store(c + row, c11, 16);
  v128.store(c + 2 * row, c20);
  v128.store(c + 2 * row, c21, 16);
  v128.store(c + 3 * row, c30);
  v128.store(c + 3 * row, c31, 16);
}
