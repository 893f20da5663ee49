// Rows of one head between the packed layout and contiguous scratch: scaled, and turned where positions are rotary.
import { at, mulAdd } from "./simd";

/**
 * to[t] = scale[t]·turn(from[t]), t < n: rows of `from` are `step` floats apart, those of `to` d. `scales`: [n] or 0. `cosine`, `sine`: [n, d] or 0, both halves
 * alike; the pair (i, i + d/2) turns by its angle.
 */
export function gatherHead(n: i32, d: i32, from: usize, step: i32, scales: usize, cosine: usize, sine: usize, to: usize): void {
  for (let t = 0; t < n; t++) {
    const scale: f32 = scales != 0 ? load<f32>(at(scales, t)) : 1;
    const c = cosine != 0 ? at(cosine, t * d) : 0;
    const s = cosine != 0 ? at(sine, t * d) : 0;
    transform(d, at(from, t * step), c, s, scale, 1, at(to, t * d));
  }
}

/** The adjoint of {@link gatherHead}: rows of `from` are d floats apart, those of `to` `step`. */
export function scatterHead(n: i32, d: i32, from: usize, scales: usize, cosine: usize, sine: usize, to: usize, step: i32): void {
  for (let t = 0; t < n; t++) {
    const scale: f32 = scales != 0 ? load<f32>(at(scales, t)) : 1;
    const c = cosine != 0 ? at(cosine, t * d) : 0;
    const s = cosine != 0 ? at(sine, t * d) : 0;
    transform(d, at(from, t * d), c, s, scale, -1, at(to, t * step));
  }
}

/** One row; `direction` −1 turns back. */
@inline
function transform(d: i32, from: usize, cosine: usize, sine: usize, scale: f32, direction: f32, to: usize): void {
  const s4 = f32x4.splat(scale);
  if (cosine == 0) {
    let i = 0;
    for (; i + 4 <= d; i += 4) v128.store(at(to, i), f32x4.mul(v128.load(at(from, i)), s4));
    for (; i < d; i++) store<f32>(at(to, i), load<f32>(at(from, i)) * scale);
    return;
  }
  const half = d >> 1;
  const turn4 = f32x4.splat(scale * direction);
  let i = 0;
  for (; i + 4 <= half; i += 4) {
    const x = v128.load(at(from, i));
    const y = v128.load(at(from, half + i));
    const c = f32x4.mul(v128.load(at(cosine, i)), s4);
    const s = f32x4.mul(v128.load(at(sine, i)), turn4);
    v128.store(at(to, i), f32x4.sub(f32x4.mul(x, c), f32x4.mul(y, s)));
    v128.store(at(to, half + i), mulAdd(y, c, f32x4.mul(x, s)));
  }
  for (; i < half; i++) {
    const x = load<f32>(at(from, i));
    const y = load<f32>(at(from, half + i));
    const c = load<f32>(at(cosine, i)) * scale;
    const s = load<f32>(at(sine, i)) * scale * direction;
    store<f32>(at(to, i), x * c - y * s);
    store<f32>(at(to, half + i), y * c + x * s);
  }
}
