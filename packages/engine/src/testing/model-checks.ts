import { add, log, mul, square, sum, type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import { hvp, valueAndGrad } from "../derivatives.ts";
import { adamWStep } from "../ops/adam-w-step.ts";
import { dual } from "../ops/dual.ts";
import { primal } from "../ops/primal.ts";
import { counterRng } from "../rng.ts";
import type { ConformanceCheck } from "./check.ts";
import { agree, evaluate, type Tensors, wrong } from "./compare.ts";
import { block, freshParams, lossOf, type Params, states } from "./tiny-gpt.ts";

const steps = 10;
const constants = { beta1: 0.9, beta2: 0.99, scale: 0.02, epsilon: 1e-8, root: 0, keep: 0.999 };

/** Losses of a few steps: what every kernel together makes of training. */
function curve(): Tensors {
  const fresh = freshParams();
  let state = { p: fresh, m: zeroed(fresh), v: zeroed(fresh) };
  const losses: [string, Tensor][] = [];
  for (let i = 0; i < steps; i++) {
    const { value, grads } = valueAndGrad((p) => lossOf(p, i), state.p);
    losses.push([`loss of step ${i}`, value]);
    state = stepped(state, grads);
  }
  return named(Object.fromEntries(losses));
}

const zeroed = (p: Params): Params => each(p, (x) => zerosLike(x));
const each = (p: Params, f: (x: Tensor, key: keyof Params) => Tensor): Params =>
  Object.fromEntries(Object.entries(p).map(([key, x]) => [key, f(x, key as keyof Params)])) as Params;

interface State {
  readonly p: Params;
  readonly m: Params;
  readonly v: Params;
}

function stepped({ p, m, v }: State, g: Params): State {
  const next: { p: Record<string, Tensor>; m: Record<string, Tensor>; v: Record<string, Tensor> } = { p: {}, m: {}, v: {} };
  for (const key of Object.keys(p) as (keyof Params)[]) {
    const made = adamWStep(p[key], g[key], m[key], v[key], constants);
    next.p[key] = made.parameter;
    next.m[key] = made.m;
    next.v[key] = made.v;
  }
  return next as unknown as State;
}

/** Named as gradients: differences grow with depth and steps, so theirs is the tolerance. */
const named = (results: Tensors): Tensors => Object.fromEntries(Object.entries(results).map(([key, t]) => [`gradient (${key})`, t]));

/** Noise of each parameter's shape. */
const direction = (): Params => each(freshParams(), (x, key) => counterRng(5).fold(key).normal(x.shape));

const agreements: readonly (readonly [string, () => Tensors])[] = [
  [
    "loss and all gradients of a small GPT",
    () => {
      const { value, grads } = valueAndGrad((p) => lossOf(p, 1), freshParams());
      return { value, ...named(grads) };
    },
  ],
  [`loss curve of ${steps} steps`, curve],
  [
    "Jacobian-vector product of a block",
    () => {
      const { value, tangent } = block(dual, { value: states("x"), tangent: states("v") }, freshParams());
      return named({ value, tangent: tangent as Tensor });
    },
  ],
  [
    "gradient of a loss of a tangent",
    () => {
      const f = (p: Params): Tensor => log(sum(square(block(dual, { value: states("x"), tangent: states("v") }, p).tangent as Tensor)));
      return named(valueAndGrad(f, freshParams()).grads);
    },
  ],
  ["Hessian-vector product of a small GPT", () => named(hvp((p: Params) => lossOf(p, 2), freshParams(), direction()))],
];

/** H·v against the difference quotient of gradients: what two wrong derivatives that agree would not pass. */
const hessian: ConformanceCheck = {
  name: "Hessian-vector product equals the difference of gradients",
  check: async () => {
    const epsilon = 3e-3;
    const at = (step: number): Params => {
      const v = direction();
      return valueAndGrad(
        (p) => lossOf(p, 2),
        each(freshParams(), (x, key) => add(x, mul(v[key], step))),
      ).grads;
    };
    const exact = await evaluate(() => hvp((p: Params) => lossOf(p, 2), freshParams(), direction()));
    const [ahead, behind] = [await evaluate(() => at(epsilon)), await evaluate(() => at(-epsilon))];
    let [difference, size] = [0, 0];
    for (const [key, { data }] of exact)
      data.forEach((x: number, i: number) => {
        const quotient = ((ahead.get(key)?.data[i] ?? Number.NaN) - (behind.get(key)?.data[i] ?? Number.NaN)) / (2 * epsilon);
        difference += (x - quotient) ** 2;
        size += x * x;
      });
    const relative = Math.sqrt(difference / size);
    if (!(relative <= 1e-2)) throw wrong(`H·v differs from the difference of gradients by ${relative} of its norm; expected at most 0.01`);
  },
};

/** The dual's value has the bits of the primal's. */
const sameBits: ConformanceCheck = {
  name: "values of dual are those of primal, bit for bit",
  check: async () => {
    const made = await evaluate(() => ({
      primal: block(primal, states("x"), freshParams()),
      dual: block(dual, { value: states("x"), tangent: states("v") }, freshParams()).value,
    }));
    const [a, b] = [made.get("primal")?.data, made.get("dual")?.data];
    if (a === undefined || b === undefined || a.some((x, i) => x !== b[i])) throw wrong("the dual's value differs from the primal's");
  },
};

export const modelChecks: readonly ConformanceCheck[] = [
  ...agreements.map(([name, f]) => ({ name, check: () => agree(name, f) })),
  hessian,
  sameBits,
];
