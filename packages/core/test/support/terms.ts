import { stopGradient } from "@eitp/engine";
import * as tf from "@tensorflow/tfjs-core";
import { adam } from "../../src/optim/index.ts";
import { type AnyLossTerm, type LossTerm, lossTerm } from "../../src/spec/index.ts";

const total = (ts: readonly tf.Tensor[]): tf.Tensor => ts.map((t) => tf.sum(t)).reduce((a, b) => tf.add(a, b));

/** Mean |w|; w·sign(w), because tf.abs has gradient −1 at 0. */
export const l1 = (): LossTerm<null, "params"> =>
  lossTerm({
    name: "l1",
    units: "1",
    scope: "params",
    needs: ["params"],
    evaluate: ({ params }) => {
      const ws = Object.values(params);
      const size = ws.reduce((n, w) => n + w.size, 0);
      const loss = tf.div(total(ws.map((w) => tf.mul(w, stopGradient(tf.sign(w))))), size);
      return { loss, quantities: { mean: loss } };
    },
  });

/** Mean squared hidden state. */
export const activity = (): LossTerm<null, "hidden"> =>
  lossTerm({
    name: "activity",
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    evaluate: ({ hidden }) => ({ loss: tf.div(total(hidden.map((h) => tf.mean(tf.square(h)))), hidden.length) }),
  });

export type DensityState = { readonly mean: tf.Tensor; readonly logVariance: tf.Tensor };
/** Gaussian density of the last hidden state with own parameters. */
export const density = (): LossTerm<DensityState, "hidden"> =>
  lossTerm({
    name: "density",
    units: "nats/dim",
    scope: "set",
    needs: ["hidden"],
    init: ({ model }): DensityState => ({ mean: tf.zeros([model.width]), logVariance: tf.zeros([model.width]) }),
    own: { of: ({ mean, logVariance }) => [mean, logVariance], optimizer: adam({ learningRate: 0.01 }) },
    evaluate: ({ hidden }, { mean, logVariance }) => {
      const z = tf.reshape(hidden[hidden.length - 1] ?? hidden[0], [-1, mean.size]);
      const nll = tf.mul(
        0.5,
        tf.mean(tf.add(tf.add(tf.mul(tf.square(tf.sub(z, mean)), tf.exp(tf.neg(logVariance))), logVariance), Math.log(2 * Math.PI))),
      );
      return { loss: nll, own: nll, features: { entropy: nll }, quantities: { entropy: nll } };
    },
  });

export type WarmState = { readonly v: tf.Tensor; readonly ema: tf.Tensor };
/** Growth of a tangent through all blocks; the tangent is warm-started state. */
export const growth = (): LossTerm<WarmState, "hidden" | "blocks"> =>
  lossTerm({
    name: "growth",
    units: "(nats/layer)²",
    scope: "set",
    needs: ["hidden", "blocks"],
    init: ({ model, batch, rng }): WarmState => ({ v: unit(rng.normal([batch.sequences, batch.length, model.width])), ema: tf.scalar(0) }),
    evaluate: ({ hidden, blocks }, { v, ema }) => {
      const out = blocks.reduce((x, block) => block(x), { value: hidden[0] as tf.Tensor, tangent: v });
      const rate = tf.div(tf.mean(tf.log(length(out.tangent))), blocks.length);
      return { loss: tf.square(tf.relu(rate)), next: { v: unit(out.tangent), ema }, features: { rate } };
    },
    update: ({ features }, state) => ({ ...state, ema: tf.add(tf.mul(state.ema, 0.9), tf.mul(features["rate"] ?? state.ema, 0.1)) }),
  });
const length = (x: tf.Tensor): tf.Tensor => tf.sqrt(tf.sum(tf.square(x), [1, 2], true));
const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, length(x));

/** Reads quantities of two others and its own weight. */
export const balance = (): LossTerm<null, "tokens"> =>
  lossTerm({
    name: "balance",
    units: "1",
    scope: "set",
    needs: ["tokens"],
    reads: ["density.entropy", "l1.mean"],
    evaluate: ({ read, weights }) => ({
      loss: tf.square(tf.add(read["density.entropy"] as tf.Tensor, tf.mul(weights["l1"] as tf.Tensor, read["l1.mean"] as tf.Tensor))),
    }),
  });

export const failing = (at: number, value: number, name = "failing"): AnyLossTerm =>
  lossTerm({
    name,
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    evaluate: ({ hidden, step }) => ({ loss: tf.mul(tf.mean(hidden[0]), step === at ? value : 1) }),
  });
/** Finite loss and gradient; the gradient at its own parameters is NaN at one step. */
export const lost = (at: number): LossTerm<{ readonly w: tf.Tensor }, "hidden"> =>
  lossTerm({
    name: "lost",
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    init: () => ({ w: tf.scalar(1) }),
    own: { of: ({ w }) => [w], optimizer: adam({ learningRate: 0.1 }) },
    evaluate: ({ hidden, step }, { w }) => ({ loss: tf.mean(hidden[0]), own: step === at ? tf.sqrt(tf.mul(w, 0)) : tf.square(w) }),
  });
/** Finite loss, gradient NaN at one step: √ of an exact 0. */
export const steep = (at: number): AnyLossTerm =>
  lossTerm({
    name: "steep",
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    evaluate: ({ hidden, step }) => ({ loss: tf.sqrt(tf.mul(tf.mean(tf.square(hidden[0])), step === at ? 0 : 1)) }),
  });
