import { choose } from "@eitp/engine";
import { isFinite as isFiniteOp, logicalAnd, logicalNot, logicalOr, scalar, type Tensor } from "@tensorflow/tfjs-core";
import type { Saved } from "../spec/index.ts";
import type { Slot } from "./slots.ts";
import { mapTensors, tensorsOf } from "./tree.ts";

export interface Verdict {
  /** Rank-0 bool: this step may change the run. */
  readonly ok: Tensor;
  /** Rank-0 bool, sticky: false from the first step that must end the run. */
  readonly healthy: Tensor;
}

/**
 * Decided on the device, because the host learns of a bad step only with its record: a step whose losses or gradient are not finite changes
 * nothing. Unless the culprits may be skipped, every later step changes nothing either, so that the bad step can be replayed and its term named.
 */
export function judge(
  included: readonly { readonly slot: Slot; readonly loss: Tensor }[],
  gradientNormSquared: Tensor,
  healthyBefore: Tensor,
): Verdict {
  const every = (flags: readonly Tensor[]): Tensor => flags.reduce((a, b) => logicalAnd(a, b), scalar(true, "bool"));
  const finite = included.map(({ slot, loss }) => ({ skip: slot.use.onNonFinite === "skip", flag: isFiniteOp(loss) }));
  const gradient = isFiniteOp(gradientNormSquared);
  const skippable = every(finite.filter((f) => f.skip).map((f) => f.flag));
  const strict = every(finite.filter((f) => !f.skip).map((f) => f.flag));
  const mayThrow = finite.some((f) => !f.skip);
  // A gradient that is bad while a skippable loss is bad too is put down to that loss.
  const excusable = mayThrow ? logicalOr(gradient, logicalNot(skippable)) : scalar(true, "bool");
  return {
    ok: logicalAnd(logicalAnd(logicalAnd(strict, skippable), gradient), healthyBefore),
    healthy: logicalAnd(healthyBefore, logicalAnd(strict, excusable)),
  };
}

/** The new tree where `ok`, else the old one, tensor by tensor; host values are the new ones. */
export function guarded<S extends Saved>(ok: Tensor, old: Saved, now: S): S {
  const before = new Map(tensorsOf(old));
  return mapTensors(now, (t, path) => {
    const b = before.get(path);
    return b === undefined || b === t ? t : choose(ok, t, b);
  });
}
