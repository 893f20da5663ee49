import { add, div, lessEqual, mul, scalar, tidy, where } from "@tensorflow/tfjs-core";
import type { AnyGradientTransform, GradientTransform } from "../spec/optimizer.ts";
import type { Saved } from "../spec/saved.ts";
import { demand, isAtLeast } from "./check.ts";
import { globalNorm } from "./norm.ts";

/**
 * Scales all gradients by max/(norm + 1e-6) where that is below 1, as `torch.nn.utils.clip_grad_norm_`; the norm is never read.
 * A non-finite norm makes every gradient non-finite or zero: nothing is repaired here, the trainer's guard decides.
 * @param max Largest global norm, > 0.
 * @throws EitpError "usage" for `max` that is not a finite number > 0.
 */
export function clipByGlobalNorm(max: number): GradientTransform {
  demand(isAtLeast(max, 0) && max > 0, "clipByGlobalNorm", "max", max, "a finite number > 0");
  return Object.freeze<GradientTransform>({
    name: `clipByGlobalNorm(${max})`,
    init: () => null,
    apply: (gradients, state) => ({
      gradients: tidy(() => {
        const size = add(globalNorm(gradients), 1e-6);
        // Not `minimum`: SIMD minima drop a NaN operand. A NaN size fails the comparison and goes through the quotient.
        const factor = where(lessEqual(size, max), scalar(1), div(max, size));
        return gradients.map((g) => mul(g, factor));
      }),
      state,
    }),
  });
}

/** Applies transforms one after another, the first one first; the state is the list of theirs. */
export function chain(...transforms: readonly AnyGradientTransform[]): GradientTransform<readonly Saved[]> {
  return Object.freeze<GradientTransform<readonly Saved[]>>({
    name: `chain(${transforms.map((t) => t.name).join(", ")})`,
    init: (params) => transforms.map((t) => t.init(params)),
    apply: (gradients, states, params) =>
      transforms.reduce<{ readonly gradients: typeof gradients; readonly state: readonly Saved[] }>(
        (before, transform, i) => {
          const after = transform.apply(before.gradients, states[i] ?? null, params);
          return { gradients: after.gradients, state: [...before.state, after.state] };
        },
        { gradients, state: [] },
      ),
  });
}
