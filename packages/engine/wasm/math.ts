// Elementary functions as polynomials: a table would be a data segment, which would land on tensors of the shared heap.
import { mulAdd } from "./simd";

/** eˣ for x ≤ 88, else e⁸⁸; 0 below −87.3, where float32 ends; NaN stays. Cephes expf: relative error 1e-7. */
@inline
export function exp4(x: v128): v128 {
  // pmin and pmax keep a NaN that stands first, and are one instruction each; min and max are seven.
  const bounded = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87.3)), f32x4.splat(88));
  // 1.5·2²³ has no room for fractions: adding it rounds, and leaves the integer in the low bits.
  const shifted = f32x4.add(f32x4.mul(bounded, f32x4.splat(1.44269504088896341)), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  // ln 2 in two parts: the first has few bits, so n times it is exact.
  let r = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.1219444e-4)));
  let p = mulAdd(f32x4.splat(1.98756915e-4), r, f32x4.splat(1.39819995e-3));
  p = mulAdd(p, r, f32x4.splat(8.33345191e-3));
  p = mulAdd(p, r, f32x4.splat(4.16657959e-2));
  p = mulAdd(p, r, f32x4.splat(0.166666655));
  p = mulAdd(p, r, f32x4.splat(0.5));
  p = f32x4.add(mulAdd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(127 << 23));
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-87.3)));
}

@inline
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

/** 1/(1 + e⁻ˣ). */
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

/** ln x for x ≥ 1; NaN and ∞ stay. Cephes logf: x = 2ⁿ·m with √½ ≤ m < √2, and a polynomial in m − 1. */
export function log1(x: f32): f32 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<i32>(x);
  let n = (bits >> 23) - 126;
  let m = reinterpret<f32>((bits & 0x007fffff) | 0x3f000000);
  if (m < 0.707106781) {
    n--;
    m += m;
  }
  m -= 1;
  let p: f32 = 7.0376836292e-2;
  p = p * m - 1.151461031e-1;
  p = p * m + 1.1676998740e-1;
  p = p * m - 1.2420140846e-1;
  p = p * m + 1.4249322787e-1;
  p = p * m - 1.6668057665e-1;
  p = p * m + 2.0000714765e-1;
  p = p * m - 2.4999993993e-1;
  p = p * m + 3.3333331174e-1;
  const z = m * m;
  return m + (z * m * p - 0.5 * z + <f32>n * <f32>-2.12194440e-4) + <f32>n * <f32>0.693359375;
}
