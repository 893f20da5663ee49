import { add, mul, type Tensor } from "@tensorflow/tfjs-core";
import type { Saved } from "../spec/index.ts";
import { accumulate, type Gradients, taken } from "./ledger.ts";
import type { PartResult, PassResult } from "./pass.ts";
import { disposeExcept, mapTensors } from "./tree.ts";

/** Means and sums over the passes of one step. Lives inside the step's tidy, so that whatever throws leaves nothing behind. */
export class Sums {
  /** Of the weighted sum. */
  gradients: Gradients;
  /** What the record shows: "use.loss", "use.own", "use.metric", "use.feature"; token-weighted means, rank 0. */
  readonly values: Map<string, Tensor> = new Map();
  /** What controllers and `update` see: "use.loss" and "use.feature". */
  readonly features: Map<string, Tensor> = new Map();
  /** Gradients at weight 1 of the terms that were asked for alone. */
  readonly alone: Map<string, { readonly gradients: Gradients; readonly ms: number }> = new Map();
  readonly own: Map<string, readonly Tensor[]> = new Map();
  /** Each use's last `next`. */
  readonly proposals: Map<string, Saved> = new Map();

  constructor(parameters: number) {
    this.gradients = Array.from({ length: parameters }, () => null);
  }

  add({ gradients, parts }: PassResult): void {
    this.gradients = accumulate(this.gradients, gradients);
    for (const part of parts) this.#addPart(part);
  }

  #addPart({ slot: { key }, share, loss, own, ownGradients, features, metrics, next, alone }: PartResult): void {
    const report = { loss, ...(own !== null && { own }), ...metrics, ...features };
    for (const [name, t] of Object.entries(report)) {
      const scaled = mul(taken(t), share);
      // A share of 0 says nothing: a mean over no tokens may be 0/0.
      if (share === 0) continue;
      const id = `${key}.${name}`;
      const before = this.values.get(id);
      const total = before === undefined ? scaled : add(before, scaled);
      this.values.set(id, total);
      if (name === "loss" || name in features) this.features.set(id, total);
    }
    if (ownGradients.length > 0) {
      const inside = ownGradients.map(taken);
      this.own.set(key, this.own.get(key)?.map((g, i) => add(g, inside[i] as Tensor)) ?? inside);
    }
    if (alone !== null) {
      const before = this.alone.get(key) ?? { gradients: alone.gradients.map(() => null), ms: 0 };
      this.alone.set(key, { gradients: accumulate(before.gradients, alone.gradients), ms: before.ms + alone.ms });
    }
    if (next !== undefined) {
      const proposed = mapTensors(next, taken);
      // Nothing was measured on a share of 0, so nothing is proposed.
      if (share > 0) {
        disposeExcept(this.proposals.get(key) ?? null);
        this.proposals.set(key, proposed);
      }
    }
  }
}
