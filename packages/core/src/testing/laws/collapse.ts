import { counterRng } from "@eitp/engine";
import {
  add,
  div,
  keep,
  matMul,
  mean,
  mul,
  reshape,
  rsqrt,
  sign,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tidy,
} from "@tensorflow/tfjs-core";
import type { AnyOptimizer, Params } from "../../spec/index.ts";
import { batchTensors } from "../../train/batch.ts";
import { type Bench, run } from "../bench.ts";
import { chainBatch } from "../data.ts";
import { must } from "../law.ts";

const steps = 200;
/** Each weight moves by at most 200 · 0.001 = 0.2: as far as it was from 0 at the start. */
const rate = 1e-3;
/**
 * Of the directions beyond the first, the fraction that must be left. Measured on wasm with this rate, worst layer: terms that reward collapse
 * (similarity of states, their variance, their entropy, z-loss) end at 0.00 to 0.10; cross-entropy, weight and activity penalties, limits on
 * stretching and an entropy held at a level end at 0.56 or more.
 */
const enough = 0.25;

/** Steps of equal length whatever the term's scale, as Adam's, for a third of the kernels. */
const signDescent: AnyOptimizer = {
  name: "signDescent",
  init: () => null,
  step: (parameter, gradient, state) => ({ parameter: tidy(() => sub(parameter, mul(sign(gradient), rate))), state }),
};

/**
 * 200 steps of the term alone leave the hidden states their directions. Each token's state is standardised over its features, as the next
 * layer's norm will see it; the participation ratio PR = (tr M)²/tr M² of their second moments M = XᵀX counts directions: 1 when all tokens
 * look alike or opposite, the width when they are spread evenly. Required of every layer: PR − 1 ≥ (PR₀ − 1)/4.
 */
export async function termAloneDoesNotCollapse(bench: Bench): Promise<void> {
  const trainer = await bench.trainer({ company: "alone", weight: 1, optimizer: signDescent });
  const before = await participation(bench, trainer.params);
  await run(trainer, steps);
  const after = await participation(bench, trainer.params);
  before.forEach((start, layer) => {
    const end = after[layer] ?? Number.NaN;
    must(
      end - 1 >= enough * (start - 1),
      `after ${steps} steps of the term alone the states of layer ${layer} have ${end.toFixed(2)} directions left of ${start.toFixed(2)}: it rewards collapse, so give it a term that pays for spread, or a floor`,
    );
  });
}

/** Participation ratio of the states of each layer, on eight sequences. */
async function participation({ model, batch }: Bench, params: Params): Promise<readonly number[]> {
  const ratios = tidy(() => {
    const ids = batchTensors(chainBatch(model.shape.vocabulary, { sequences: 2 * batch.sequences, length: batch.length }, 0));
    const { hidden = [] } = model.apply(params, ids, new Set(["hidden"]), { training: false, rng: counterRng(0) });
    return keep(stack(hidden.map(participationRatio)));
  });
  const values = await ratios.data();
  ratios.dispose();
  return [...values];
}

function participationRatio(hidden: Tensor): Tensor {
  const rows = reshape(hidden, [-1, hidden.shape.at(-1) ?? 1]);
  const centred = sub(rows, mean(rows, -1, true));
  const x = mul(centred, rsqrt(add(mean(square(centred), -1, true), 1e-12)));
  const moments = matMul(x as Tensor2D, x as Tensor2D, true);
  return div(square(sum(square(x))), sum(square(moments)));
}
