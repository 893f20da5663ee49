import { exp, greater, mul, slice, softmax, square, sum, type Tensor, tanh, tensor1d, tidy, where } from "@tensorflow/tfjs-core";
import { hvp } from "./derivatives.ts";
import { EitpError } from "./error.ts";

const points: readonly number[] = [-1.5, 0.25, 2];
const ones: readonly number[] = [1, 1, 1];

/** Functions whose second derivative stock tfjs gets wrong or refuses, each with the answer along `along` at {@link points}. */
const cases: readonly {
  readonly name: string;
  readonly f: (x: Tensor) => Tensor;
  readonly along: readonly number[];
  readonly answer: readonly number[];
}[] = [
  { name: "x·exp x", f: (x) => mul(x, exp(x)), along: ones, answer: points.map((x) => (2 + x) * Math.exp(x)) },
  {
    name: "x·tanh x",
    f: (x) => mul(x, tanh(x)),
    along: ones,
    answer: points.map((x) => (2 - 2 * x * Math.tanh(x)) * (1 - Math.tanh(x) ** 2)),
  },
  { name: "softmax", f: (x) => slice(softmax(x), [0], [1]), along: [1, 0, 0], answer: softmaxAnswer() },
  {
    name: "where",
    f: (x) => where(greater(x, 0), mul(x, square(x)), square(x)),
    along: ones,
    answer: points.map((x) => (x > 0 ? 6 * x : 2)),
  },
];

/** ∂²p₀/∂x₀∂x_j: p₀(1 − p₀)(1 − 2p₀) for j = 0, −p₀p_j(1 − 2p₀) otherwise. */
function softmaxAnswer(): number[] {
  const weights = points.map((x) => Math.exp(x));
  const p = weights.map((w) => w / weights.reduce((a, b) => a + b));
  const p0 = p[0] as number;
  return p.map((pj, j) => (j === 0 ? p0 * (1 - p0) : -p0 * pj) * (1 - 2 * p0));
}

/**
 * Checks second derivatives on the current backend against known answers; `eitp doctor` and every term that needs them call it.
 * @throws EitpError "internal" when one is wrong by more than 10⁻³, or cannot be computed; the message names it.
 */
export async function secondOrderSelfTest(): Promise<void> {
  for (const { name, f, along, answer } of cases) {
    const second = tidy(() => product(name, f, along));
    const values = await second.data();
    second.dispose();
    const wrong = answer.some((expected, i) => !(Math.abs((values[i] as number) - expected) <= 1e-3 * Math.max(1, Math.abs(expected))));
    if (wrong)
      throw new EitpError(
        "internal",
        `the second derivative of ${name} at ${points} is ${Array.from(values)}; expected ${answer}. ${remedy}`,
      );
  }
}

function product(name: string, f: (x: Tensor) => Tensor, along: readonly number[]): Tensor {
  try {
    return hvp(({ x }) => sum(f(x)), { x: tensor1d([...points]) }, { x: tensor1d([...along]) }).x;
  } catch (cause) {
    throw new EitpError("internal", `the second derivative of ${name} cannot be computed. ${remedy}`, { cause });
  }
}

const remedy = "Start backends with `useBackend`, which repairs tfjs' autodiff, and use tfjs 4.22.";
