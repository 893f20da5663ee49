import { scalar, square, sub } from "@tensorflow/tfjs-core";
import { describe, test } from "vitest";
import { type AnyLossTerm, type LossTerm, lossTerm } from "../../src/spec/index.ts";
import { crossEntropy } from "../../src/terms/cross-entropy.ts";
import { describeLossTerm } from "../../src/testing/index.ts";
import { activity, density, growth, l1 } from "./terms.ts";

/** Element-wise work only: five copies of the weights at the peak of its own tape. */
const costedL1 = (): AnyLossTerm => ({
  ...l1(),
  cost: ({ model }) => {
    const weights = Object.values(model.params).reduce((n, shape) => n + shape.reduce((a, b) => a * b, 1), 0);
    return { macs: 0, bytes: 5 * 4 * weights };
  },
});

/** A tangent's forward doubles the 12·D² products per token and block; its backward costs twice as much again. */
export const costedGrowth = (): AnyLossTerm => ({
  ...growth(),
  cost: ({ model, batch }) => {
    const states = model.layers * batch.sequences * batch.length * model.width;
    return { macs: 3 * 2 * 12 * states * model.width, bytes: 4 * 600 * states };
  },
});

/** The density with its entropy held at a level: minimised without a floor, it would collapse the states. */
const heldDensity = (): AnyLossTerm => {
  const free: AnyLossTerm = density();
  return {
    ...free,
    evaluate: (inputs, state) => {
      const value = free.evaluate(inputs, state);
      return { ...value, loss: square(sub(value.loss, 1)) };
    },
  };
};

/** A reader: holds an entropy that another term measures. */
const setEntropy = (): LossTerm<null, "tokens"> =>
  lossTerm({
    name: "setEntropy",
    units: "nats²",
    scope: "set",
    needs: ["tokens"],
    reads: ["density.entropy"],
    evaluate: ({ read: { "density.entropy": entropy = scalar(Number.NaN) } }) => ({ loss: square(sub(entropy, 1)) }),
  });

/** Right terms of every kind, each under the whole contract, on the backend in use. */
export function describeRightTerms(): void {
  for (const make of [crossEntropy, costedL1, activity, heldDensity, costedGrowth]) describeLossTerm(() => make(), { describe, test });
  describeLossTerm(setEntropy, { describe, test }, { beside: () => [{ term: density(), weight: 0.1 }] });
}
