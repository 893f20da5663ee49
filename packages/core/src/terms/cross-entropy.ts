import { cast, div, greaterEqual, maximum, sum } from "@tensorflow/tfjs-core";
import { type LossTerm, lossTerm } from "../spec/index.ts";
import { countTargets } from "../train/batch.ts";

/**
 * The base objective, a term like any other: mean negative log-likelihood of the target tokens, nats per token. Targets of −1 do not count,
 * and micro-batches weigh by what they count. Reads the model's `nll`, so that [tokens × vocabulary] need never exist at once.
 */
export function crossEntropy(): LossTerm<null, "nll" | "targets"> {
  return lossTerm({
    name: "ce",
    units: "nats/token",
    scope: "tokens",
    needs: ["nll", "targets"],
    count: countTargets,
    evaluate: ({ nll, targets }) => {
      // A micro-batch without targets has share 0 in the mean; here its loss is 0/1, not 0/0.
      const counted = maximum(sum(cast(greaterEqual(targets, 0), "float32")), 1);
      return { loss: div(sum(nll), counted) };
    },
  });
}
