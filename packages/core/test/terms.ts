import {
  add,
  addN,
  div,
  exp,
  log,
  mean,
  mul,
  neg,
  relu,
  reshape,
  scalar,
  sign,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  zeros,
} from "@tensorflow/tfjs-core";
import { adam } from "../src/optim/index.ts";
import { type LossTerm, lossTerm } from "../src/spec/index.ts";

/** Terms of every kind the interface knows, for the tests of trainer and contract. */

/** Scope "params": mean |w|. */
export function l1(): LossTerm<null, "params"> {
  return lossTerm({
    name: "l1",
    units: "1",
    scope: "params",
    needs: ["params"],
    evaluate: ({ params }) => {
      const ws = Object.values(params);
      const count = ws.reduce((n, w) => n + w.size, 0);
      // Not `abs`: its gradient at 0 is −1 in tfjs, and biases start at 0.
      return { loss: div(addN(ws.map((w) => sum(mul(w, sign(w))))), count) };
    },
    cost: ({ model }) => ({ macs: 0, bytes: 5 * 4 * parameterCount(model.params) }),
  });
}
export const parameterCount = (shapes: { readonly [name: string]: readonly number[] }): number =>
  Object.values(shapes).reduce((n, s) => n + s.reduce((a, b) => a * b, 1), 0);

/** Scope "tokens": mean squared hidden state. */
export function activity(): LossTerm<null, "hidden"> {
  return lossTerm({
    name: "activity",
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    evaluate: ({ hidden }) => {
      const loss = div(addN(hidden.map((h) => mean(square(h)))), hidden.length);
      return { loss, metrics: { rms: sqrt(loss) }, quantities: { energy: loss } };
    },
  });
}

export type DensityState = { readonly centre: Tensor; readonly logVar: Tensor };
/** Scope "set", own parameters: a diagonal Gaussian fitted to the last states. Its cross-entropy bounds their entropy, which is held at a level. */
export function density({ level = 1 }: { readonly level?: number } = {}): LossTerm<DensityState, "hidden"> {
  return lossTerm({
    name: "density",
    units: "(nats/dimension)²",
    scope: "set",
    needs: ["hidden"],
    init: ({ model }): DensityState => ({ centre: zeros([model.width]), logVar: zeros([model.width]) }),
    own: { of: ({ centre, logVar }) => [centre, logVar], optimizer: adam({ learningRate: 0.01 }) },
    evaluate: ({ hidden }, { centre, logVar }) => {
      const z = reshape(hidden[hidden.length - 1] ?? hidden[0], [-1, centre.size]);
      const nll = mul(0.5, mean(add(add(mul(square(sub(z, centre)), exp(neg(logVar))), logVar), Math.log(2 * Math.PI))));
      return { loss: square(sub(nll, level)), own: nll, features: { entropy: nll }, quantities: { entropy: nll } };
    },
  });
}

export type StretchState = { readonly direction: Tensor; readonly average: Tensor };
/** Scope "set", warm start: log stretching of a tangent pushed through all blocks; the direction is carried to the next step. */
export function stretch({ target = 0 }: { readonly target?: number } = {}): LossTerm<StretchState, "hidden" | "blocks"> {
  return lossTerm({
    name: "stretch",
    units: "(nats/layer)²",
    scope: "set",
    needs: ["hidden", "blocks"],
    init: ({ rng }, { hidden }): StretchState => ({ direction: unit(rng.normal(hidden[0].shape)), average: scalar(0) }),
    evaluate: ({ hidden, blocks }, { direction, average }) => {
      const out = blocks.reduce((x, block) => block(x), { value: hidden[0] as Tensor, tangent: direction });
      const rate = div(mean(log(length(out.tangent))), blocks.length);
      return { loss: square(relu(sub(rate, target))), next: { direction: unit(out.tangent), average }, features: { rate } };
    },
    update: ({ features }, state) => ({
      ...state,
      average: add(mul(state.average, 0.9), mul(features["rate"] ?? state.average, 0.1)),
    }),
    // The tangent's forward doubles the blocks' matrix products; its backward doubles those of the backward, and adds the products' other halves.
    cost: ({ model, batch }) => ({
      macs: 3 * 2 * model.layers * batch.sequences * batch.length * 12 * model.width ** 2,
      bytes: 4 * model.layers * batch.sequences * batch.length * model.width * 600,
    }),
  });
}
const length = (x: Tensor): Tensor => sqrt(sum(square(x), [1, 2], true));
const unit = (x: Tensor): Tensor => div(x, length(x));

/** Reads what others measure: squared difference of entropy and weighted energy. */
export function balance(): LossTerm<null, "tokens"> {
  return lossTerm({
    name: "balance",
    units: "nats²",
    scope: "set",
    needs: ["tokens"],
    reads: ["density.entropy", "activity.energy"],
    evaluate: ({ read }) => {
      const { "density.entropy": entropy, "activity.energy": energy } = read;
      if (entropy === undefined || energy === undefined) throw new Error("the trainer did not deliver what `balance` reads");
      return { loss: square(sub(entropy, energy)) };
    },
  });
}
