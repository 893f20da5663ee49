import { choose } from "@eitp/engine";
import { add, isFinite as isFiniteOp, logicalAnd, logicalNot, logicalOr, mul, scalar, sum, type Tensor } from "@tensorflow/tfjs-core";
import type { Saved } from "../spec/index.ts";
import { dot, type Gradients } from "./ledger.ts";
import type { Slot } from "./slots.ts";
import { mapTensors, tensorsOf } from "./tree.ts";

export interface Verdict {
  /** Rank-0 bool: this step may change the run. */
  readonly ok: Tensor;
  /** Rank-0 bool, sticky: false from the first step that must end the run. */
  readonly healthy: Tensor;
}

/** What a use with weight did in a step. */
export interface Included {
  readonly slot: Slot;
  readonly loss: Tensor;
  /** At its own parameters. */
  readonly own: readonly Tensor[];
  /** At the model's, where it is known apart from the sum. */
  readonly alone: Gradients;
}

/** Rank-0 bool: every entry is finite; cannot overflow. */
export function allFinite(tensors: readonly Tensor[]): Tensor {
  return isFiniteOp(tensors.reduce((zero: Tensor, t) => add(zero, sum(mul(t, 0))), scalar(0)));
}

/**
 * Decided on the device, because the host learns of a bad step only with its record: a step whose losses or gradient are not finite changes
 * nothing. Unless the culprits may be skipped, every later step changes nothing either, so that the bad step can be replayed and its term named.
 */
export function judge(included: readonly Included[], gradientNormSquared: Tensor, healthyBefore: Tensor): Verdict {
  const every = (flags: readonly Tensor[]): Tensor => flags.reduce((a, b) => logicalAnd(a, b), scalar(true, "bool"));
  const finite = included.map(({ slot, loss, own, alone }) => {
    const skip = slot.use.onNonFinite === "skip";
    // Own parameters that cannot move end a run. Of a use that may be skipped they stand still by themselves; its gradient is looked at instead.
    return { skip, flag: logicalAnd(isFiniteOp(loss), skip ? isFiniteOp(dot(alone, alone)) : allFinite(own)) };
  });
  const gradient = isFiniteOp(gradientNormSquared);
  const skippable = every(finite.filter((f) => f.skip).map((f) => f.flag));
  const strict = every(finite.filter((f) => !f.skip).map((f) => f.flag));
  const mayThrow = finite.some((f) => !f.skip);
  // A gradient that is bad while a skippable use is bad too is put down to that use.
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
