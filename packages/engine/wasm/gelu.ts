// tanh form, written x·σ(z) with z = 2√(2/π)·(x + 0.044715x³); n floats.
import { sigmoid4 } from "./math";
import { at, mulAdd } from "./simd";

const slope: f32 = 1.5957691216057308;
const cubic: f32 = 0.044715;

@inline
function value4(x: v128): v128 {
  return f32x4.mul(x, sigmoid4(argument4(x, f32x4.mul(x, x))));
}

@inline
function argument4(x: v128, x2: v128): v128 {
  return f32x4.mul(x, mulAdd(x2, f32x4.splat(cubic * slope), f32x4.splat(slope)));
}

/** s + x·s(1 − s)·z′ with s = σ(z). */
@inline
function derivative4(x: v128): v128 {
  const x2 = f32x4.mul(x, x);
  const s = sigmoid4(argument4(x, x2));
  const dz = mulAdd(x2, f32x4.splat(3 * cubic * slope), f32x4.splat(slope));
  const curve = f32x4.mul(f32x4.mul(x, f32x4.sub(f32x4.splat(1), s)), dz);
  return mulAdd(s, curve, s);
}

export function gelu(n: i32, x: usize, y: usize): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(at(y, i), value4(v128.load(at(x, i))));
  for (; i < n; i++) store<f32>(at(y, i), f32x4.extract_lane(value4(v128.load32_splat(at(x, i))), 0));
}

export function geluGrad(n: i32, dy: usize, x: usize, dx: usize): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(at(dx, i), f32x4.mul(v128.load(at(dy, i)), derivative4(v128.load(at(x, i)))));
  for (; i < n; i++)
    store<f32>(at(dx, i), load<f32>(at(dy, i)) * f32x4.extract_lane(derivative4(v128.load32_splat(at(x, i))), 0));
}
