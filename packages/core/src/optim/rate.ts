import type { Schedule } from "../spec/term.ts";
import { demand, isAtLeast } from "./check.ts";

/**
 * A learning rate as a checked function of the run's step. A number is checked at once, a schedule at step 0 now and at every step it is
 * asked for: a rate that turns NaN at step 900 must not reach the weights.
 */
export function checkedRate(owner: string, rate: number | Schedule): Schedule {
  const at: Schedule = typeof rate === "function" ? rate : () => rate;
  const checked: Schedule = (step) => {
    const value = at(step);
    const option = typeof rate === "function" ? `learningRate at step ${step}` : "learningRate";
    demand(isAtLeast(value, 0), owner, option, value, "a finite number ≥ 0");
    return value;
  };
  checked(0);
  return checked;
}
