// One AdamW step of n floats; see `adamWStep` in src/ops/adam-w-step.ts.
import { at, mulAdd } from "./simd";

export function adamW(
  n: i32,
  p: usize, g: usize, m: usize, v: usize,
  beta1: f32, beta2: f32, scale: f32, epsilon: f32, root: f32, keep: f32,
  p1: usize, m1: usize, v1: usize,
): void {
  const b1 = f32x4.splat(beta1);
  const b2 = f32x4.splat(beta2);
  const s4 = f32x4.splat(scale);
  const e4 = f32x4.splat(epsilon);
  const r4 = f32x4.splat(root);
  const k4 = f32x4.splat(keep);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const slope = v128.load(at(g, i));
    const first = mulAdd(v128.load(at(m, i)), b1, slope);
    const second = mulAdd(slope, slope, f32x4.mul(v128.load(at(v, i)), b2));
    const size = f32x4.add(f32x4.sqrt(f32x4.add(second, r4)), e4);
    v128.store(at(m1, i), first);
    v128.store(at(v1, i), second);
    v128.store(at(p1, i), f32x4.sub(f32x4.mul(v128.load(at(p, i)), k4), f32x4.mul(f32x4.div(first, size), s4)));
  }
  for (; i < n; i++) {
    const slope = load<f32>(at(g, i));
    const first = load<f32>(at(m, i)) * beta1 + slope;
    const second = slope * slope + load<f32>(at(v, i)) * beta2;
    store<f32>(at(m1, i), first);
    store<f32>(at(v1, i), second);
    store<f32>(at(p1, i), load<f32>(at(p, i)) * keep - (first / (sqrt(second + root) + epsilon)) * scale);
  }
}
