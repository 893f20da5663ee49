import type { Params, Structure } from "@eitp/core/spec";
import { EitpError, type Ops } from "@eitp/engine";
import { reshape, type Tensor, tile } from "@tensorflow/tfjs-core";
import { stepsOf } from "./steps.ts";

/**
 * Places where a compressor changes the model without knowing its code. Whatever is absent costs nothing.
 * @example
 * ```ts
 * model.apply(params, batch, needs, forward, { gates: { "h.0.attn.heads": tf.tensor1d([1, 0, 1, 1]) } });
 * ```
 */
export interface Slots {
  /** One factor per head (slot "h.i.attn.heads", [heads]) or per hidden unit (slot "h.i.mlp.units", [4·width]). */
  readonly gates?: { readonly [slot: string]: Tensor };
  /** Replaces a parameter, e.g. by its fake-quantised value; called once per parameter and `apply`, tied weights included. */
  weight?(name: string, weight: Tensor): Tensor;
  /** Replaces the input of a linear layer ("h.0.attn.c_attn", …) or of the head ("head"), in training and in tangents alike. */
  activation?<T>(ops: Ops<T>, name: string, x: T): T;
}

/** Parameters as the slots want them. */
export function slottedParams(params: Params, slots: Slots | undefined): Params {
  if (slots?.weight === undefined) return params;
  const replaced: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(params)) replaced[name] = slots.weight(name, tensor);
  return replaced;
}

/** @throws EitpError "usage" for a gate that no slot of the structure has, or whose length does not fit. */
export function checkSlots(structure: Structure, slots: Slots | undefined): void {
  const sizes = new Map<string, number>();
  for (const step of stepsOf(structure)) {
    if (step.kind === "attention") sizes.set(step.slot, step.heads);
    if (step.kind === "activation") sizes.set(step.slot, step.width);
  }
  for (const [slot, gate] of Object.entries(slots?.gates ?? {})) {
    const size = sizes.get(slot);
    if (size === undefined) throw new EitpError("usage", `there is no gate slot "${slot}"; this model has ${[...sizes.keys()].join(", ")}`);
    if (gate.rank !== 1 || gate.size !== size) {
      throw new EitpError("usage", `the gate for "${slot}" has shape [${gate.shape}]; expected [${size}], one factor per unit`);
    }
  }
}

/** Head factors [H] as unit factors [D]: each repeated over its head's width. */
export function perUnit(headGate: Tensor, headWidth: number): Tensor {
  return reshape(tile(reshape(headGate, [-1, 1]), [1, headWidth]), [-1]);
}
