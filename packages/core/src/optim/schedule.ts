import type { Schedule } from "../spec/term.ts";
import { demand, isAtLeast, isCount } from "./check.ts";

/**
 * The same value at every step.
 * @throws EitpError "usage" for a value that is not finite.
 */
export function constant(value: number): Schedule {
  demand(Number.isFinite(value), "constant", "value", value, "a finite number");
  return () => value;
}

/** Options of {@link linear}. */
export interface LinearOptions {
  /** Value at step 0. */
  readonly from: number;
  /** Value at step `steps` and after. */
  readonly to: number;
  /** Integer ≥ 1. */
  readonly steps: number;
}
/**
 * A straight line from `from` at step 0 to `to` at step `steps`, then flat.
 * @throws EitpError "usage" for an option outside its range.
 */
export function linear({ from, to, steps }: LinearOptions): Schedule {
  demand(Number.isFinite(from), "linear", "from", from, "a finite number");
  demand(Number.isFinite(to), "linear", "to", to, "a finite number");
  demand(isCount(steps, 1), "linear", "steps", steps, "an integer ≥ 1");
  return (step) => (step >= steps ? to : from + (to - from) * (step / steps));
}

/** Options of {@link cosine}. */
export interface CosineOptions {
  /** Value at the end of the warm-up. */
  readonly peak: number;
  /** Steps of linear warm-up, 0 to `steps`; default 0. */
  readonly warmup?: number;
  /** Step at which the floor is reached; integer ≥ 1. */
  readonly steps: number;
  /** Last value, 0 to `peak`; default 0. */
  readonly floor?: number;
}
/**
 * Linear warm-up, then half a cosine from `peak` at step `warmup` down to `floor` at step `steps`, then flat; nanoGPT's schedule.
 * @throws EitpError "usage" for an option outside its range.
 * @see Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5.
 */
export function cosine({ peak, warmup = 0, steps, floor = 0 }: CosineOptions): Schedule {
  demandLevels("cosine", peak, floor);
  demand(isCount(steps, 1), "cosine", "steps", steps, "an integer ≥ 1");
  demand(isCount(warmup, 0) && warmup <= steps, "cosine", "warmup", warmup, `an integer from 0 to steps (${steps})`);
  return (step) => {
    if (step < warmup) return rise(peak, warmup, step);
    if (step >= steps) return floor;
    return floor + (peak - floor) * fall.cosine((step - warmup) / (steps - warmup));
  };
}

/** Options of {@link warmupStableDecay}. */
export interface WarmupStableDecayOptions {
  /** Value of the stable phase. */
  readonly peak: number;
  /** Steps of linear warm-up, ≥ 0; default 0. */
  readonly warmup?: number;
  /** Steps at `peak`, ≥ 0. */
  readonly stable: number;
  /** Steps from `peak` to `floor`, ≥ 0. */
  readonly decay: number;
  /** Last value, 0 to `peak`; default 0. */
  readonly floor?: number;
  /** How the decay falls: 1 − r, (1 + cos πr)/2 or 1 − √r; default "linear". */
  readonly shape?: "linear" | "cosine" | "sqrt";
}
/**
 * Linear warm-up, a plateau at `peak`, a decay to `floor`, then flat: one run can be branched off the plateau and cooled at any time.
 * @throws EitpError "usage" for an option outside its range.
 * @see Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", 2024, §3.
 */
export function warmupStableDecay({ peak, warmup = 0, stable, decay, floor = 0, shape = "linear" }: WarmupStableDecayOptions): Schedule {
  const owner = "warmupStableDecay";
  demandLevels(owner, peak, floor);
  for (const [option, value] of Object.entries({ warmup, stable, decay }))
    demand(isCount(value, 0), owner, option, value, "an integer ≥ 0");
  demand(Object.hasOwn(fall, shape), owner, "shape", shape, '"linear", "cosine" or "sqrt"');
  const cooling = warmup + stable;
  return (step) => {
    if (step < warmup) return rise(peak, warmup, step);
    if (step < cooling) return peak;
    if (step >= cooling + decay) return floor;
    return floor + (peak - floor) * fall[shape]((step - cooling) / decay);
  };
}

/** Fractions of the way down, 1 at r = 0 and 0 at r = 1. */
const fall = {
  linear: (r: number): number => 1 - r,
  cosine: (r: number): number => (1 + Math.cos(Math.PI * r)) / 2,
  sqrt: (r: number): number => 1 - Math.sqrt(r),
};
/** Step 0 already moves and step `warmup` is the peak, so warmup + 1 equal stairs. */
const rise = (peak: number, warmup: number, step: number): number => (peak * (step + 1)) / (warmup + 1);

function demandLevels(owner: string, peak: number, floor: number): void {
  demand(isAtLeast(peak, 0), owner, "peak", peak, "a finite number ≥ 0");
  demand(isAtLeast(floor, 0) && floor <= peak, owner, "floor", floor, `from 0 to peak (${peak})`);
}
