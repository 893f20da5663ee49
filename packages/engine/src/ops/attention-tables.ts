import { mul, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { untaped } from "../autodiff.ts";

/**
 * Constants of attention: masks, distances, rotary angles, query scales. Computed once per size on the host and uploaded per call: an upload
 * is a copy of at most T² numbers, and no tensor has to outlive the call, so nothing leaks and nothing is tied to one backend.
 */
const remembered = new Map<string, Float32Array>();
const capacity = 32;

function table(key: string, size: number, fill: (values: Float32Array) => void): Float32Array {
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const values = new Float32Array(size);
  fill(values);
  const oldest = remembered.keys().next();
  if (remembered.size >= capacity && !oldest.done) remembered.delete(oldest.value);
  remembered.set(key, values);
  return values;
}

/** Far below any score, yet finite: −∞ would give NaN where a backend computes ∞ − ∞. */
const never = -1e9;

/** Additive causal mask of queries `offset … offset + tokens − 1` over keys `0 … offset + tokens − 1`: [tokens, offset + tokens]. */
export function causalMask(tokens: number, offset: number): Tensor {
  return upload(
    maskWith("mask", tokens, offset, () => 0, never),
    [tokens, offset + tokens],
  );
}

/** ALiBi: −slope·(i − j) where key j ≤ query i, far below zero elsewhere: [H, tokens, offset + tokens]. Press et al., 2022, §3. */
export function alibiBias(heads: number, tokens: number, offset: number): Tensor {
  const distance = upload(
    maskWith("distance", tokens, offset, (i, j) => j - i, never * 2 ** 10),
    [tokens, offset + tokens],
  );
  return untaped(() => mul(distance, tensor(alibiSlopes(heads), [heads, 1, 1])));
}

function maskWith(name: string, tokens: number, offset: number, seen: (i: number, j: number) => number, unseen: number): Float32Array {
  const keys = offset + tokens;
  return table(`${name} ${tokens} ${offset}`, tokens * keys, (values) => {
    for (let row = 0; row < tokens; row++)
      for (let j = 0; j < keys; j++) values[row * keys + j] = j <= offset + row ? seen(offset + row, j) : unseen;
  });
}

/**
 * Slopes of ALiBi: 2^(−8i/n), i = 1 … n, for n a power of two; otherwise those of the power below, then every second one of twice that power.
 * 12 heads: 2⁻¹ … 2⁻⁸, 2^−0.5, 2^−1.5, 2^−2.5, 2^−3.5.
 */
export function alibiSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const geometric = (n: number): number[] => Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n));
  const between = geometric(2 * power).filter((_, i) => i % 2 === 0);
  return [...geometric(power), ...between].slice(0, heads);
}

/** Cosines and sines of rotary positions `offset …`, each [tokens, d]: angle p·10000^(−2i/d), both halves alike (GPT-NeoX's half-split). */
export function rotaryAngles(tokens: number, offset: number, size: number): { readonly cosine: Float32Array; readonly sine: Float32Array } {
  const half = size / 2;
  const angles = (name: string, f: (angle: number) => number): Float32Array =>
    table(`${name} ${tokens} ${offset} ${size}`, tokens * size, (values) => {
      for (let row = 0; row < tokens; row++)
        for (let i = 0; i < size; i++) values[row * size + i] = f((offset + row) * 10_000 ** (-(i % half) / half));
    });
  return { cosine: angles("cosine", Math.cos), sine: angles("sine", Math.sin) };
}

/** {@link rotaryAngles} as tensors. */
export function rotaryTables(tokens: number, offset: number, size: number): { readonly cosine: Tensor; readonly sine: Tensor } {
  const { cosine, sine } = rotaryAngles(tokens, offset, size);
  return { cosine: upload(cosine, [tokens, size]), sine: upload(sine, [tokens, size]) };
}

/** The signed permutation P of [x₁, x₂]·P = [−x₂, x₁], halves of a head: [d, d]. A product is one operation where slicing takes four. */
export function halfTurn(size: number): Tensor {
  const half = size / 2;
  const values = table(`turn ${size}`, size * size, (m) => {
    for (let i = 0; i < half; i++) {
      m[(i + half) * size + i] = -1;
      m[i * size + i + half] = 1;
    }
  });
  return upload(values, [size, size]);
}

/** What queries are multiplied by, [tokens]: `scale`, times ln(i + 1)/ln(logN) at position i where logN is not null. */
export function queryScales(tokens: number, offset: number, logN: number | null, scale: number): Float32Array {
  return table(`scale ${tokens} ${offset} ${logN} ${scale}`, tokens, (row) => {
    for (let i = 0; i < tokens; i++) row[i] = logN === null ? scale : (scale * Math.log(offset + i + 1)) / Math.log(logN);
  });
}

/** {@link queryScales} as a tensor [tokens, 1]. */
export function logNScale(tokens: number, offset: number, logN: number, scale: number): Tensor {
  return upload(queryScales(tokens, offset, logN, scale), [tokens, 1]);
}

const upload = (values: Float32Array, shape: number[]): Tensor => tensor(values, shape, "float32");
