import { dispose, getBackend, keep, memory, mul, setBackend, sum, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { valueAndGrad } from "../derivatives.ts";
import { EitpError } from "../error.ts";
import { composed } from "../fused/kernels.ts";
import { counterRng, type TensorRng } from "../rng.ts";

/** Largest accepted difference, relative to the largest entry of what is expected. */
const valueTolerance = 1e-5;
const gradientTolerance = 1e-4;

export type Tensors = Readonly<Record<string, Tensor>>;
type Values = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float64Array }>;

/** A function of generated inputs, by shape: differentiated by all of them, where there are any. Constants are made inside `f`. */
export interface Case {
  readonly name: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Multiplies the inputs: large ones reach the tails of exp and tanh. */
  readonly spread: number;
  readonly f: (inputs: Tensors, rng: TensorRng) => Tensor;
}

/** A {@link Case} whose function sees its inputs under the names it gave them. */
export function given<K extends string>(
  name: string,
  inputs: Readonly<Record<K, readonly number[]>>,
  f: (inputs: Readonly<Record<K, Tensor>>, rng: TensorRng) => Tensor,
  spread = 1,
): Case {
  return { name, inputs, spread, f: f as Case["f"] };
}

/** Value and all gradients of a case on the current backend equal the composition on cpu, and no tensor stays behind. */
export async function checkCase(test: Case): Promise<void> {
  await agree(test.name, () => {
    const rng = counterRng(11).fold(test.name);
    const inputs = Object.fromEntries(
      Object.entries(test.inputs).map(([key, shape]) => [key, mul(rng.fold(key).normal(shape), test.spread)]),
    );
    const value = test.f(inputs, rng);
    if (Object.keys(inputs).length === 0) return { value };
    // A random direction: a sum would not tell a gradient from its transpose.
    const along = rng.fold("along").normal(value.shape);
    const { grads } = valueAndGrad((xs) => sum(mul(test.f(xs, rng), along)), inputs);
    return { value, ...Object.fromEntries(Object.entries(grads).map(([key, g]) => [`gradient of ${key}`, g])) };
  });
}

/**
 * Compares what `f` makes on the current backend with what its composition makes on cpu. Results named "gradient …" get the tolerance of gradients.
 * @throws EitpError "internal" naming backend, result, place and both numbers.
 */
export async function agree(name: string, f: () => Tensors): Promise<void> {
  const backend = getBackend();
  const actual = await evaluate(f);
  const expected = await onCpu(() => evaluate(() => composed(f)));
  for (const [key, { shape, data }] of expected) {
    const found = actual.get(key);
    const where = `${name}: ${key} on ${backend}`;
    if (found === undefined || String(found.shape) !== String(shape))
      throw wrong(`${where} has shape [${found?.shape}]; expected [${shape}]`);
    const gradient = key.startsWith("gradient");
    const scale = data.reduce((m, x) => Math.max(m, Math.abs(x)), gradient ? 1e-2 : 1);
    const bound = scale * (gradient ? gradientTolerance : valueTolerance);
    const at = data.findIndex((x, i) => !(Math.abs(x - (found.data[i] as number)) <= bound));
    if (at >= 0) throw wrong(`${where} is ${found.data[at]} at ${at} of [${shape}]; expected ${data[at]} ± ${bound}`);
  }
}

/** What `f` makes, read asynchronously; checks that it left nothing else. */
export async function evaluate(f: () => Tensors): Promise<Values> {
  const before = memory().numTensors;
  const made = tidy(() => Object.fromEntries(Object.entries(f()).map(([key, t]) => [key, keep(t)])));
  const values = new Map<string, { readonly shape: readonly number[]; readonly data: Float64Array }>();
  for (const [key, t] of Object.entries(made)) values.set(key, { shape: t.shape, data: Float64Array.from(await t.data()) });
  dispose(Object.values(made));
  const left = memory().numTensors - before;
  if (left !== 0) throw wrong(`${left} tensors stayed behind on ${getBackend()}`);
  return values;
}

/** Runs `f` on the reference backend and comes back, also when it throws. */
async function onCpu<R>(f: () => Promise<R>): Promise<R> {
  const backend = getBackend();
  await setBackend("cpu");
  try {
    return await f();
  } finally {
    await setBackend(backend);
  }
}

/** A failed check. */
export const wrong = (message: string): EitpError => new EitpError("internal", `conformance: ${message}`);
