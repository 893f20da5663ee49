import { type LossTerm, lossTerm } from "@eitp/core/spec";
import { addN, div, mean, square, type Tensor } from "@tensorflow/tfjs-core";

/** Mean square of all entries, averaged over layers: states [.., D] each → rank 0. */
export function activationOf(states: readonly Tensor[]): Tensor {
  return div(addN(states.map((h) => mean(square(h)))), states.length);
}

/**
 * Activation regularisation: large residual states cost. A weight of 1e-3 to 1e-1 is usual.
 * @see Merity, McCann and Socher, "Revisiting Activation Regularization for Language RNNs", 2017, §3.
 */
export function activation(): LossTerm<null, "hidden"> {
  return lossTerm({
    name: "activation",
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    evaluate: ({ hidden }) => ({ loss: activationOf(hidden) }),
  });
}
