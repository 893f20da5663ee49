import type { ModelBatch, Params } from "@eitp/core/spec";
import { type Tensor, tensor, tensor2d } from "@tensorflow/tfjs-core";
import type { GptModel } from "../src/index.ts";

/** The same numbers as fixtures/fixture.py: hash-made weights and ids, and its compact forms read back. */

export interface Shape {
  readonly vocabulary: number;
  readonly context: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly sequences: number;
  readonly length: number;
}
export interface Int16 {
  readonly scale: number;
  readonly data: string;
}

export function unit(name: string, count: number): Float64Array {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(i, 0x9e3779b1) + h) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

function weight(name: string, shape: readonly number[]): Tensor {
  const u = unit(
    name,
    shape.reduce((a, b) => a * b, 1),
  );
  const scale = (s: number, shift = 0): Float64Array => u.map((x) => shift + s * x);
  let values: Float64Array;
  if (name.endsWith(".bias")) values = scale(0.1);
  else if (name.includes("ln_")) values = scale(0.2, 1);
  else if (name === "wte.weight") values = scale(0.3);
  else if (name === "shift.weight") values = scale(0.8);
  else values = scale(0.15);
  return tensor(Float32Array.from(values), [...shape]);
}

export function fixtureParams(model: GptModel): Params {
  return Object.fromEntries(Object.entries(model.shape.params).map(([name, shape]) => [name, weight(name, shape)]));
}

export function fixtureBatch({ vocabulary, sequences, length }: Shape, step = ""): ModelBatch {
  const ids = (name: string): Int32Array => Int32Array.from(unit(name, sequences * length), (u) => Math.floor(((u + 1) / 2) * vocabulary));
  const targets = ids(`targets${step}`).map((id, i) => (i % 7 === 0 ? -1 : id));
  return {
    tokens: tensor2d(ids(`tokens${step}`), [sequences, length], "int32"),
    targets: tensor2d(targets, [sequences, length], "int32"),
  };
}

export function float32(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);
}

export function int16({ scale, data }: Int16): Float64Array {
  return Float64Array.from(new Int16Array(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer), (x) => x * scale);
}

export function projections(name: string, x: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, k) => {
    let total = 0;
    for (const [i, u] of unit(`${name}#${k}`, x.length).entries()) total += (u < 0 ? -1 : 1) * (x[i] ?? Number.NaN);
    return total;
  });
}

export function norm(x: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += (x[i] ?? Number.NaN) ** 2;
  return Math.sqrt(total);
}

export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  return norm(Float64Array.from(a, (x, i) => x - (b[i] ?? Number.NaN)));
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  return Float64Array.from(a, (x, i) => Math.abs(x - (b[i] ?? Number.NaN))).reduce((p, q) => (q > p || Number.isNaN(q) ? q : p), 0);
}

/** The bar of every gradient: 1e-3 of its own norm, or of a millionth of all gradients where its true value is 0. */
export function gradientBars(norms: { readonly [name: string]: number }): { readonly [name: string]: number } {
  const all = norm(Object.values(norms));
  return Object.fromEntries(Object.entries(norms).map(([name, own]) => [name, 1e-3 * Math.max(own, 1e-6 * all)]));
}
