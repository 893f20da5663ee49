import { adamWStep } from "@eitp/engine";
import { type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import type { Optimizer } from "../spec/optimizer.ts";
import type { Schedule } from "../spec/term.ts";
import { demand, isAtLeast } from "./check.ts";
import { checkedRate } from "./rate.ts";

/** Options of {@link adam}. */
export interface AdamOptions {
  /** Constant, or a function of the run's step; finite and ≥ 0. */
  readonly learningRate: number | Schedule;
  /** Decay of the first moment, [0, 1); default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment, [0, 1); default 0.999. */
  readonly beta2?: number;
  /** Added to √v̂, > 0; default 1e-8. */
  readonly epsilon?: number;
  /** Added to v̂ under the root, ≥ 0; default 0. Hypergradients need about 1e-12: the derivative of √ at a gradient of exactly 0 is infinite. */
  readonly epsilonRoot?: number;
}
/** Options of {@link adamW}. */
export interface AdamWOptions extends AdamOptions {
  /** Decoupled decay per step, times the learning rate; ≥ 0, default 0. */
  readonly weightDecay?: number;
  /** Which parameters decay; default those of rank ≥ 2, so neither biases nor norms. */
  readonly decays?: (name: string, shape: readonly number[]) => boolean;
}

/**
 * Discounted sums m = Σ β₁^(t−i)·g_i and v = Σ β₂^(t−i)·g_i², shaped like the parameter. PyTorch's `exp_avg` is (1 − β₁)·m and
 * `exp_avg_sq` is (1 − β₂)·v: the factors fold into the step size, which saves two passes over every tensor.
 */
export type AdamState = { readonly m: Tensor; readonly v: Tensor };

/**
 * AdamW: Adam with decoupled weight decay, equal to `torch.optim.AdamW` within rounding.
 * @throws EitpError "usage" for an option outside its range, also when a schedule gives a negative or non-finite rate.
 * @example
 * ```ts
 * const optimizer = adamW({ learningRate: cosine({ peak: 1e-3, warmup: 100, steps: 2000, floor: 1e-4 }), weightDecay: 0.1 });
 * ```
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2.
 */
export function adamW(options: AdamWOptions): Optimizer<AdamState> {
  return build("adamW", options);
}

/**
 * Adam without weight decay, equal to `torch.optim.Adam` within rounding.
 * @throws EitpError "usage" for an option outside its range.
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
 */
export function adam(options: AdamOptions): Optimizer<AdamState> {
  return build("adam", options);
}

function build(
  name: string,
  {
    learningRate,
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    epsilonRoot = 0,
    weightDecay = 0,
    decays = (_name, shape) => shape.length >= 2,
  }: AdamWOptions,
): Optimizer<AdamState> {
  const rate = checkedRate(name, learningRate);
  demand(beta1 >= 0 && beta1 < 1, name, "beta1", beta1, "0 ≤ beta1 < 1");
  demand(beta2 >= 0 && beta2 < 1, name, "beta2", beta2, "0 ≤ beta2 < 1");
  demand(isAtLeast(epsilon, 0) && epsilon > 0, name, "epsilon", epsilon, "a finite number > 0");
  demand(isAtLeast(epsilonRoot, 0), name, "epsilonRoot", epsilonRoot, "a finite number ≥ 0");
  demand(isAtLeast(weightDecay, 0), name, "weightDecay", weightDecay, "a finite number ≥ 0");

  return Object.freeze<Optimizer<AdamState>>({
    name,
    learningRate: rate,
    init: (parameter) => ({ m: zerosLike(parameter), v: zerosLike(parameter) }),
    step: (parameter, gradient, state, at) => {
      // m̂ = c₁·m and v̂ = c₂·v, so η·m̂ / (√v̂ + ε) = (η·c₁/√c₂) · m / (√v + ε/√c₂): all constants in float64.
      const eta = rate(at.step);
      const c1 = (1 - beta1) / (1 - beta1 ** at.count);
      const c2 = (1 - beta2) / (1 - beta2 ** at.count);
      const keep = decays(at.name, parameter.shape) ? 1 - eta * weightDecay : 1;
      const scale = (eta * c1) / Math.sqrt(c2);
      const constants = { beta1, beta2, scale, epsilon: epsilon / Math.sqrt(c2), root: epsilonRoot / c2, keep };
      const next = adamWStep(parameter, gradient, state.m, state.v, constants);
      return { parameter: next.parameter, state: { m: next.m, v: next.v } };
    },
  });
}
