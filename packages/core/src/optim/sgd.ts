import { add, mul, sub, type Tensor, tidy, zerosLike } from "@tensorflow/tfjs-core";
import type { Optimizer } from "../spec/optimizer.ts";
import type { Schedule } from "../spec/term.ts";
import { demand } from "./check.ts";
import { checkedRate } from "./rate.ts";

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** Constant, or a function of the run's step; finite and ≥ 0. */
  readonly learningRate: number | Schedule;
  /** Heavy-ball momentum, [0, 1); default 0: no state. */
  readonly momentum?: number;
}
/** Velocity, shaped like the parameter; `null` without momentum. */
export type SgdState = { readonly velocity: Tensor } | null;

/**
 * Gradient descent: u ← μ·u + g, p ← p − η·u, as `torch.optim.SGD` without dampening.
 * @throws EitpError "usage" for an option outside its range.
 */
export function sgd({ learningRate, momentum = 0 }: SgdOptions): Optimizer<SgdState> {
  const rate = checkedRate("sgd", learningRate);
  demand(momentum >= 0 && momentum < 1, "sgd", "momentum", momentum, "0 ≤ momentum < 1");
  return Object.freeze<Optimizer<SgdState>>({
    name: "sgd",
    learningRate: rate,
    init: (parameter) => (momentum === 0 ? null : { velocity: zerosLike(parameter) }),
    step: (parameter, gradient, state, at) => {
      const eta = rate(at.step);
      if (state === null) return { parameter: tidy(() => sub(parameter, mul(gradient, eta))), state };
      const next = tidy(() => {
        const velocity = add(mul(state.velocity, momentum), gradient);
        return { parameter: sub(parameter, mul(velocity, eta)), velocity };
      });
      return { parameter: next.parameter, state: { velocity: next.velocity } };
    },
  });
}
