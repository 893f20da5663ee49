// Rows [n, d]; see `EitLayerNorm` in src/fused/kernels.ts.
import { at, mulAdd, sumOf } from "./simd";

export function layerNorm(n: i32, d: i32, x: usize, w: usize, b: usize, y: usize, mean: usize, r: usize, epsilon: f32): void {
  for (let i = 0; i < n; i++) {
    const from = at(x, i * d);
    const to = at(y, i * d);
    const mu = rowSum(from, d) / <f32>d;
    // The mean first, then squares around it: x² − mean² would lose every digit of a large mean.
    const scale: f32 = 1 / sqrt(squaresAround(from, d, mu) / <f32>d + epsilon);
    store<f32>(at(mean, i), mu);
    store<f32>(at(r, i), scale);
    const mu4 = f32x4.splat(mu);
    const s4 = f32x4.splat(scale);
    let j = 0;
    for (; j + 4 <= d; j += 4) {
      const normed = f32x4.mul(f32x4.sub(v128.load(at(from, j)), mu4), s4);
      v128.store(at(to, j), mulAdd(normed, v128.load(at(w, j)), v128.load(at(b, j))));
    }
    for (; j < d; j++) store<f32>(at(to, j), (load<f32>(at(from, j)) - mu) * scale * load<f32>(at(w, j)) + load<f32>(at(b, j)));
  }
}

@inline
function rowSum(p: usize, n: i32): f32 {
  let total = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= n; j += 4) total = f32x4.add(total, v128.load(at(p, j)));
  let sum = sumOf(total);
  for (; j < n; j++) sum += load<f32>(at(p, j));
  return sum;
}

@inline
function squaresAround(p: usize, n: i32, mu: f32): f32 {
  const mu4 = f32x4.splat(mu);
  let total = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    const c = f32x4.sub(v128.load(at(p, j)), mu4);
    total = mulAdd(c, c, total);
  }
  let sum = sumOf(total);
  for (; j < n; j++) {
    const c = load<f32>(at(p, j)) - mu;
    sum += c * c;
  }
  return sum;
}

/** With n̂ = (x − mean)·r and g = dy·w: dx = r·(g − mean g − n̂·mean(g·n̂)), dw = Σ dy·n̂, db = Σ dy over rows in order. */
export function layerNormGrad(
  n: i32, d: i32,
  dy: usize, x: usize, w: usize, mean: usize, r: usize,
  dx: usize, dw: usize, db: usize,
): void {
  memory.fill(dw, 0, (<usize>d) << 2);
  memory.fill(db, 0, (<usize>d) << 2);
  const share: f32 = 1 / <f32>d;
  for (let i = 0; i < n; i++) {
    const from = at(x, i * d);
    const g = at(dy, i * d);
    const to = at(dx, i * d);
    const mu = load<f32>(at(mean, i));
    const scale = load<f32>(at(r, i));
    const mu4 = f32x4.splat(mu);
    const s4 = f32x4.splat(scale);
    let sums = f32x4.splat(0);
    let products = f32x4.splat(0);
    let j = 0;
    for (; j + 4 <= d; j += 4) {
      const normed = f32x4.mul(f32x4.sub(v128.load(at(from, j)), mu4), s4);
      const t = v128.load(at(g, j));
      const tw = f32x4.mul(t, v128.load(at(w, j)));
      sums = f32x4.add(sums, tw);
      products = mulAdd(tw, normed, products);
      v128.store(at(dw, j), mulAdd(t, normed, v128.load(at(dw, j))));
      v128.store(at(db, j), f32x4.add(v128.load(at(db, j)), t));
    }
    let sum = sumOf(sums);
    let product = sumOf(products);
    for (; j < d; j++) {
      const normed = (load<f32>(at(from, j)) - mu) * scale;
      const t = load<f32>(at(g, j));
      sum += t * load<f32>(at(w, j));
      product += t * load<f32>(at(w, j)) * normed;
      store<f32>(at(dw, j), load<f32>(at(dw, j)) + t * normed);
      store<f32>(at(db, j), load<f32>(at(db, j)) + t);
    }
    sum *= share;
    product *= share;
    const sum4 = f32x4.splat(sum);
    const product4 = f32x4.splat(product);
    for (j = 0; j + 4 <= d; j += 4) {
      const normed = f32x4.mul(f32x4.sub(v128.load(at(from, j)), mu4), s4);
      const centered = f32x4.sub(f32x4.mul(v128.load(at(g, j)), v128.load(at(w, j))), sum4);
      v128.store(at(to, j), f32x4.mul(s4, f32x4.sub(centered, f32x4.mul(normed, product4))));
    }
    for (; j < d; j++) {
      const normed = (load<f32>(at(from, j)) - mu) * scale;
      store<f32>(at(to, j), scale * (load<f32>(at(g, j)) * load<f32>(at(w, j)) - sum - normed * product));
    }
  }
}
