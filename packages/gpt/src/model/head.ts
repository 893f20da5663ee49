import type { Params } from "@eitp/core/spec";
import { headCrossEntropy, primal } from "@eitp/engine";
import { type Rank, reshape, type Tensor, type Tensor2D, type Tensor3D } from "@tensorflow/tfjs-core";
import type { GptConfig } from "./config.ts";
import { parameter } from "./parameters.ts";
import type { Slots } from "./slots.ts";

/** The layer norm behind the last block, [B, T, D] → [B, T, D]. */
export function finalNorm(config: GptConfig, params: Params, x: Tensor): Tensor {
  return primal.layerNorm(x, parameter(params, "ln_f.weight"), parameter(params, "ln_f.bias"), config.epsilon);
}

/** Scores of every token, [B, T, D] → [B, T, V], by the tied embedding. */
export function headLogits(params: Params, normed: Tensor, slots?: Slots): Tensor3D {
  return primal.linear(headInput(normed, slots), parameter(params, "wte.weight"), null, true) as Tensor3D;
}

/** Negative log-likelihood of each target in nats, 0 where it is −1, [B, T]; holds at most `headBudgetBytes` of logits at a time. */
export function headNll(config: GptConfig, params: Params, normed: Tensor, targets: Tensor2D, slots?: Slots): Tensor2D {
  const rows = reshape<Rank.R2>(headInput(normed, slots), [targets.size, config.width]);
  const budget = config.headBudgetBytes === undefined ? {} : { budgetBytes: config.headBudgetBytes };
  return reshape<Rank.R2>(headCrossEntropy(rows, parameter(params, "wte.weight"), reshape<Rank.R1>(targets, [targets.size]), budget), [
    ...targets.shape,
  ]);
}

function headInput(normed: Tensor, slots: Slots | undefined): Tensor {
  return slots?.activation === undefined ? normed : slots.activation(primal, "head", normed);
}
