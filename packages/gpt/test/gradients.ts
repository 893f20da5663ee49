import type { Forward, ModelBatch, Params } from "@eitp/core/spec";
import { counterRng, stopGradient, withTape } from "@eitp/engine";
import { div, keep, sum, type Tensor } from "@tensorflow/tfjs-core";
import type { GptModel, Slots } from "../src/index.ts";

export const evaluating: Forward = { training: false, rng: counterRng(0) };

/** Mean nll over the predicted targets, in nats. */
export function meanNll(model: GptModel, params: Params, batch: ModelBatch, forward: Forward = evaluating, slots?: Slots): Tensor {
  const { nll } = model.apply(params, batch, new Set(["nll"]), forward, slots);
  if (nll === undefined) throw new Error("no nll");
  return div(sum(nll), batch.targets.dataSync().filter((target) => target !== -1).length);
}

/** Loss and the gradient at every parameter, kept: the caller disposes. */
export function lossAndGradients(
  params: Params,
  loss: () => Tensor,
): { readonly loss: number; readonly gradients: { readonly [name: string]: Tensor } } {
  return withTape((tape) => {
    const value = loss();
    const names = Object.keys(params);
    const gradients = tape.gradient(value, Object.values(params));
    const kept = names.map((name, i) => {
      const gradient = gradients[i];
      if (gradient === null || gradient === undefined) throw new Error(`no gradient at ${name}`);
      return [name, keep(stopGradient(gradient))] as const;
    });
    return { loss: value.dataSync()[0] ?? Number.NaN, gradients: Object.fromEntries(kept) };
  });
}
