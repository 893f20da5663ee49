// What every kernel is written in. Pointers are byte addresses; counts and strides are in floats.

/** Address of float `i` from `base`. */
@inline
export function at(base: usize, i: i32): usize {
  return base + ((<usize>i) << 2);
}

/** a·b + c: one rounding in the fused build, two in the plain one, whose bits are the same on every machine. */
@inline
export function mulAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

@inline
export function sumOf(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

@inline
export function roundUp(n: i32, to: i32): i32 {
  return ((n + to - 1) / to) * to;
}
