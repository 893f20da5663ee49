import { add, concat, fused, matMul, mean, mul, square, sub, sum, tensor1d, transpose } from "@tensorflow/tfjs-core";
import { embedding } from "../ops/embedding.ts";
import { primal } from "../ops/primal.ts";
import { type Case, given } from "./compare.ts";

// Letters: N rows, F from, G to, D width.

/** Odd sizes, one of everything, tile edges, and inner sizes beyond one cache block. */
const products: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [7, 5, 3],
  [1, 17, 9],
  [65, 49, 97],
  [33, 64, 128],
  [5, 531, 11],
  [3, 2, 301],
  [0, 4, 3],
];

const linear: readonly Case[] = products.flatMap(([N, F, G]) =>
  [false, true].flatMap((transposed) => {
    const name = `linear [${N}, ${F}]·[${F}, ${G}]${transposed ? ", transposed" : ""}`;
    const [x, w] = [[N, F], transposed ? [G, F] : [F, G]];
    return [
      given(name, { x, w }, (t) => primal.linear(t.x, t.w, null, transposed)),
      given(`${name}, bias`, { x, w, b: [G] }, (t) => primal.linear(t.x, t.w, t.b, transposed)),
    ];
  }),
);

type Product = readonly [batchA: readonly number[], batchB: readonly number[], m: number, k: number, n: number];
const batches: readonly Product[] = [
  [[], [], 9, 6, 5],
  [[3], [3], 5, 1, 4],
  [[2, 3], [2, 3], 9, 7, 11],
  [[2], [2], 65, 40, 33],
];
/**
 * One side repeated over the other's whole batch, and empty sides: values only, their gradient is beyond tfjs. Nothing that repeats along some axes
 * of a batch: the reference takes wrong items there.
 */
const valuesOnly: readonly Product[] = [
  [[1], [3], 6, 5, 4],
  [[3], [1], 6, 5, 4],
  [[2], [2], 3, 0, 5],
];

const matMuls: readonly Case[] = [false, true].flatMap((ta) =>
  [false, true].flatMap((tb) => {
    const name = ([ba, bb, m, k, n]: Product): string => `matMul [${ba}]×[${bb}] ${m}, ${k}, ${n}, transposed ${ta} ${tb}`;
    const a = ([batch, , m, k]: Product): number[] => [...batch, ...(ta ? [k, m] : [m, k])];
    const b = ([, batch, , k, n]: Product): number[] => [...batch, ...(tb ? [n, k] : [k, n])];
    return [
      ...batches.map((x) => given(name(x), { a: a(x), b: b(x) }, (t) => matMul(t.a, t.b, ta, tb))),
      ...valuesOnly.map((x) => given(name(x), {}, (_, rng) => matMul(rng.fold("a").normal(a(x)), rng.fold("b").normal(b(x)), ta, tb))),
    ];
  }),
);

const fusedMatMul: readonly Case[] = (["linear", "relu", "sigmoid"] as const).map((activation) =>
  given(`fused.matMul, ${activation}, transposed batch`, { a: [2, 101, 5], b: [2, 101, 7], bias: [7] }, ({ a, b, bias }) =>
    fused.matMul({ a, b, transposeA: true, bias: mul(bias, 9), activation }),
  ),
);

const norms: readonly Case[] = [
  [1, 1],
  [1, 7],
  [5, 3],
  [33, 64],
  [2, 3, 129],
  [0, 4],
].map((shape) => {
  const D = shape.at(-1) as number;
  return given(`layerNorm [${shape}]`, { x: shape, w: [D], b: [D] }, ({ x, w, b }) => primal.layerNorm(add(mul(x, 3), 2), w, b, 1e-5));
});

const gelus: readonly Case[] = [[1], [3], [67], [5, 33], [0]].flatMap((shape) =>
  [1, 12].map((spread) => given(`gelu [${shape}] spread ${spread}`, { x: shape }, ({ x }) => primal.gelu(x), spread)),
);

const elementwise: readonly Case[] = [[], [1], [7], [3, 5], [2, 3, 67], [0, 3]].map((shape) =>
  given(`sums, products, squares [${shape}]`, { x: shape, y: shape, g: shape.slice(-1) }, ({ x, y, g }) => {
    const z = sub(mul(add(x, mul(y, 0.3)), g), square(y));
    return add(mul(z, sum(square(x))), shape.includes(0) ? z : mean(mul(z, z)));
  }),
);

const ids = [3, 0, 3, 6, 3, 1];
const layouts: readonly Case[] = [
  given("embedding, repeated ids", { table: [7, 5] }, ({ table }) => embedding(table, tensor1d(ids, "int32"))),
  given("embedding, one id", { table: [1, 1] }, ({ table }) => embedding(table, tensor1d([0], "int32"))),
  ...[1, 2, 6].map((T) => given(`shift, T ${T}`, { x: [2, T, 3] }, ({ x }) => primal.shift(x))),
  given("transposes and joins", { x: [3, 4, 5], y: [3, 2, 5] }, ({ x, y }) => transpose(concat([x, y], 1), [2, 0, 1])),
  given("sums over leading axes", { x: [65, 3, 7] }, ({ x }) => mul(sum(x, [0, 1]), sum(x, 0))),
];

/** Everything but attention and the loss. */
export const denseCases: readonly Case[] = [...linear, ...matMuls, ...fusedMatMul, ...norms, ...gelus, ...elementwise, ...layouts];
