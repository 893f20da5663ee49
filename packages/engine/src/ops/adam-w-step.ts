import { add, div, engine, mul, sqrt, square, sub, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { isFused } from "../fused/kernels.ts";
import { run } from "../fused/run.ts";
import { requireShape } from "./fits.ts";

/** Constants of one step, computed in float64 by the optimiser. */
export interface AdamWConstants {
  readonly beta1: number;
  readonly beta2: number;
  /** η·c₁/√c₂, the step size with both bias corrections. */
  readonly scale: number;
  /** ε/√c₂. */
  readonly epsilon: number;
  /** Added under the root, for hypergradients; usually 0. */
  readonly root: number;
  /** 1 − η·λ: what decoupled decay leaves of the parameter. */
  readonly keep: number;
}

/**
 * One AdamW step of one tensor: m′ = β₁m + g, v′ = β₂v + g², p′ = keep·p − scale·m′/(√(v′ + root) + ε). Pure; the caller disposes the three results.
 * The moments are discounted sums, without the factors 1 − β: these fold into the step size.
 */
export function adamWStep(
  p: Tensor,
  g: Tensor,
  m: Tensor,
  v: Tensor,
  constants: AdamWConstants,
): { readonly parameter: Tensor; readonly m: Tensor; readonly v: Tensor } {
  const { beta1, beta2, scale, epsilon, root, keep } = constants;
  for (const [name, x] of Object.entries({ "a gradient": g, "a first moment": m, "a second moment": v }))
    requireShape("adamWStep", name, x, p.shape);
  if (isFused("EitAdamW") && !taping()) {
    const [parameter, m1, v1] = run("EitAdamW", { p, g, m, v }, { ...constants }) as readonly [Tensor, Tensor, Tensor];
    return { parameter, m: m1, v: v1 };
  }
  return tidy(() => {
    const m1 = add(mul(m, beta1), g);
    const v1 = add(mul(v, beta2), square(g));
    const update = mul(div(m1, add(sqrt(root === 0 ? v1 : add(v1, root)), epsilon)), scale);
    return { parameter: sub(keep === 1 ? p : mul(p, keep), update), m: m1, v: v1 };
  });
}

/** Whoever takes the step under a tape wants to differentiate through it (a learned rate, say), which the fused kernel cannot. */
function taping(): boolean {
  const { gradientDepth, kernelDepth } = engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}
