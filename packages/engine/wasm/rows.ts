// Passes over one row of n floats; heads of four, then the tail.
import { exp1, exp4 } from "./math";
import { at, mulAdd, sumOf } from "./simd";

/** Largest entry of those that are numbers, to shift exponents by: the sum of exponentials is NaN where there is one. n ≥ 1. */
@inline
export function rowMax(p: usize, n: i32): f32 {
  let most = f32x4.splat(load<f32>(p));
  let j = 0;
  for (; j + 4 <= n; j += 4) most = f32x4.pmax(most, v128.load(at(p, j)));
  let m = max(max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)), max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
  for (; j < n; j++) m = max(m, load<f32>(at(p, j)));
  return m;
}

/** In place: e^(x − shift). Returns the sum. */
@inline
export function rowExp(p: usize, n: i32, shift: f32): f32 {
  const s4 = f32x4.splat(shift);
  let total = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    const e = exp4(f32x4.sub(v128.load(at(p, j)), s4));
    v128.store(at(p, j), e);
    total = f32x4.add(total, e);
  }
  let sum = sumOf(total);
  for (; j < n; j++) {
    const e = exp1(load<f32>(at(p, j)) - shift);
    store<f32>(at(p, j), e);
    sum += e;
  }
  return sum;
}

/** Sum of e^(x − shift); nothing is written. */
@inline
export function rowExpSum(p: usize, n: i32, shift: f32): f32 {
  const s4 = f32x4.splat(shift);
  let total = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= n; j += 4) total = f32x4.add(total, exp4(f32x4.sub(v128.load(at(p, j)), s4)));
  let sum = sumOf(total);
  for (; j < n; j++) sum += exp1(load<f32>(at(p, j)) - shift);
  return sum;
}

@inline
export function rowScale(p: usize, n: i32, factor: f32): void {
  const f4 = f32x4.splat(factor);
  let j = 0;
  for (; j + 4 <= n; j += 4) v128.store(at(p, j), f32x4.mul(v128.load(at(p, j)), f4));
  for (; j < n; j++) store<f32>(at(p, j), load<f32>(at(p, j)) * factor);
}

/** p ← p∘q. */
@inline
export function rowMultiply(p: usize, q: usize, n: i32): void {
  let j = 0;
  for (; j + 4 <= n; j += 4) v128.store(at(p, j), f32x4.mul(v128.load(at(p, j)), v128.load(at(q, j))));
  for (; j < n; j++) store<f32>(at(p, j), load<f32>(at(p, j)) * load<f32>(at(q, j)));
}

@inline
export function rowDot(p: usize, q: usize, n: i32): f32 {
  let total = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= n; j += 4) total = mulAdd(v128.load(at(p, j)), v128.load(at(q, j)), total);
  let sum = sumOf(total);
  for (; j < n; j++) sum += load<f32>(at(p, j)) * load<f32>(at(q, j));
  return sum;
}
