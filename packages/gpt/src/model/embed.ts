import type { Params } from "@eitp/core/spec";
import { EitpError, embedding, primal } from "@eitp/engine";
import { concat, slice, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import type { GptConfig } from "./config.ts";
import { parameter } from "./parameters.ts";

/** Where in a longer text `tokens` stand; generation feeds a text piece by piece. */
export interface EmbedOptions {
  /** Position of the first token, default 0. */
  readonly offset?: number;
  /** [B, 1] int32: the tokens just before, which a token shift looks at. Without it the first token sees nothing before it. */
  readonly before?: Tensor2D | undefined;
}

/**
 * Residual stream before the first block, [B, T] int32 → [B, T, D]: e_t + shift ∘ e_{t−1} + p_t, the last two where the model has them.
 * @throws EitpError "usage" where learned positions do not reach that far.
 */
export function embed(config: GptConfig, params: Params, tokens: Tensor2D, { offset = 0, before }: EmbedOptions = {}): Tensor {
  const [, length] = tokens.shape;
  const table = parameter(params, "wte.weight");
  let x: Tensor;
  if (config.tokenShift) {
    const e = embedding(table, before === undefined ? tokens : concat([before, tokens], 1));
    x = primal.add(e, primal.gate(primal.shift(e), parameter(params, "shift.weight")));
    if (before !== undefined) x = slice(x, [0, 1, 0]);
  } else {
    x = embedding(table, tokens);
  }
  if (config.positions !== "learned") return x;
  checkLength(config, offset + length);
  return primal.add(x, slice(parameter(params, "wpe.weight"), [offset, 0], [length, config.width]));
}

/** @throws EitpError "usage" where `length` tokens are more than the learned positions of the model. */
export function checkLength(config: GptConfig, length: number): void {
  if (config.positions !== "learned" || length <= config.context) return;
  throw new EitpError(
    "usage",
    `the input reaches ${length} tokens, but the model has ${config.context} learned positions. ` +
      `Shorten the input to ${config.context} tokens, or train with positions "rotary", "alibi" or "none".`,
  );
}
