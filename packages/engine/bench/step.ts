/**
 * One training step (forward, backward, AdamW) of a GPT with the engine's operations: milliseconds, kernel calls, and the kernels that take them.
 * Run: `npx tsx packages/engine/bench/step.ts [backend] [L D H T B V] [--profile] [--composed] [--fma] [--steps=30]`
 */
import * as tf from "@tensorflow/tfjs-core";
import {
  type AdamWConstants,
  adamWStep,
  composed,
  counterRng,
  embedding,
  headCrossEntropy,
  primal,
  useBackend,
  withTape,
} from "../src/index.ts";
import { countKernels } from "./count-kernels.ts";

const numbers = process.argv
  .slice(2)
  .filter((x) => /^\d+$/.test(x))
  .map(Number);
const [L = 2, D = 64, H = 2, T = 64, B = 8, V = 256] = numbers;
const backend = ["cpu", "wasm"].find((name) => process.argv.includes(name)) ?? "wasm";
const flag = (name: string): boolean => process.argv.includes(`--${name}`);
const { fma } = await useBackend(backend, { fma: flag("fma") });
/** With --composed, every operation is made of ordinary kernels. */
const mode = <R>(f: () => R): R => (flag("composed") ? composed(f) : f());

const rng = counterRng(1);
const params: Record<string, tf.Tensor> = { wte: rng.fold("wte").normal([V, D]), wpe: rng.fold("wpe").normal([T, D]) };
for (let l = 0; l < L; l++) {
  for (const n of ["ln1", "ln2"]) Object.assign(params, { [`${l}.${n}.w`]: tf.ones([D]), [`${l}.${n}.b`]: tf.zeros([D]) });
  for (const [n, from, to] of [
    ["qkv", D, 3 * D],
    ["proj", D, D],
    ["fc", D, 4 * D],
    ["out", 4 * D, D],
  ] as const)
    Object.assign(params, { [`${l}.${n}.w`]: tf.mul(rng.fold(`${l}${n}`).normal([from, to]), 0.02), [`${l}.${n}.b`]: tf.zeros([to]) });
}
Object.assign(params, { "f.w": tf.ones([D]), "f.b": tf.zeros([D]) });
const names = Object.keys(params);
const p = (name: string): tf.Tensor => params[name] as tf.Tensor;

function loss(ids: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  let x = primal.add(tf.mul(embedding(p("wte"), ids), 0.02), tf.mul(p("wpe"), 0.02));
  const normed = (y: tf.Tensor, n: string): tf.Tensor => primal.layerNorm(y, p(`${n}.w`), p(`${n}.b`), 1e-5);
  const linear = (y: tf.Tensor, n: string): tf.Tensor => primal.linear(y, p(`${n}.w`), p(`${n}.b`));
  for (let l = 0; l < L; l++) {
    const a = primal.attention(linear(normed(x, `${l}.ln1`), `${l}.qkv`), { heads: H, positions: "learned", logN: null });
    x = primal.add(x, linear(a, `${l}.proj`));
    x = primal.add(x, linear(primal.gelu(linear(normed(x, `${l}.ln2`), `${l}.fc`)), `${l}.out`));
  }
  return tf.mean(headCrossEntropy(tf.reshape(normed(x, "f"), [-1, D]), tf.mul(p("wte"), 0.02), targets));
}

const moments = new Map(names.map((name) => [name, [tf.zerosLike(p(name)), tf.zerosLike(p(name))]]));
/** Learning rate 10⁻³, β 0.9 and 0.99; bias corrections folded in. */
function constantsAt(t: number): AdamWConstants {
  const [c1, c2] = [(1 - 0.9) / (1 - 0.9 ** t), (1 - 0.99) / (1 - 0.99 ** t)];
  return { beta1: 0.9, beta2: 0.99, scale: (1e-3 * c1) / Math.sqrt(c2), epsilon: 1e-8 / Math.sqrt(c2), root: 0, keep: 1 };
}

const forwardMs: number[] = [];
function step(i: number): tf.Tensor {
  const source = rng.fold(i);
  const ids = Array.from({ length: B * T }, (_, j) => source.bits(j) % Math.min(V, 64));
  return tf.tidy(() => {
    const [x, y] = [
      tf.tensor(ids, [B, T], "int32"),
      tf.tensor1d(
        ids.map((id) => (id * 7 + 1) % V),
        "int32",
      ),
    ];
    const at = performance.now();
    const { value, grads } = mode(() =>
      withTape((tape) => {
        const value = loss(x, y);
        forwardMs.push(performance.now() - at);
        return { value: tf.keep(tf.clone(value)), grads: tape.gradient(value, names.map(p)).map((g) => tf.keep(tf.clone(g as tf.Tensor))) };
      }),
    );
    for (const [j, name] of names.entries()) {
      const g = grads[j] as tf.Tensor;
      const [m, v] = moments.get(name) as [tf.Tensor, tf.Tensor];
      const next = mode(() => adamWStep(p(name), g, m, v, constantsAt(i + 1)));
      for (const t of [next.parameter, next.m, next.v]) tf.keep(t);
      tf.dispose([p(name), g, m, v]);
      params[name] = next.parameter;
      moments.set(name, [next.m, next.v]);
    }
    return value;
  });
}

const wall: number[] = [];
const cpu: number[] = [];
let counted: ReturnType<typeof countKernels> | undefined;
const steps = Number(process.argv.find((x) => x.startsWith("--steps="))?.slice(8) ?? 30);
for (let i = 0; i < steps; i++) {
  if (i === steps - 5 && flag("profile")) counted = countKernels(backend);
  const [at, used] = [performance.now(), process.cpuUsage()];
  const value = step(i);
  const { user, system } = process.cpuUsage(used);
  if (counted === undefined) {
    wall.push(performance.now() - at);
    cpu.push((user + system) / 1000);
  }
  if (i % 10 === 9 || i === 0)
    process.stdout.write(`step ${i + 1} loss ${value.dataSync()[0]?.toFixed(5)} live tensors ${tf.memory().numTensors}\n`);
  value.dispose();
}
const sorted = (x: number[]): number[] => [...x].sort((a, b) => a - b);
const median = (x: number[]): string => (sorted(x)[x.length >> 1] as number).toFixed(1);
process.stdout.write(
  `${backend}${fma ? " fma" : ""} L${L} D${D} H${H} T${T} B${B} V${V}: wall median ${median(wall)} best ${sorted(wall)[0]?.toFixed(1)} ms, CPU median ${median(cpu)} best ${sorted(cpu)[0]?.toFixed(1)} ms, forward ${median(forwardMs)} ms\n`,
);
if (counted !== undefined) process.stdout.write(counted.report(5));
