import type { Params } from "@eitp/core/spec";
import { assert } from "@eitp/engine/error";
import type { GptModel } from "../model/gpt.ts";
import { type FinishReason, generate } from "./generate.ts";
import type { GenerateOptions } from "./options.ts";

/** A finished continuation. */
export interface Generated {
  /** New tokens only, end-of-text and the tokens of a stop string included. */
  readonly tokens: readonly number[];
  /** Text of the new tokens, cut before the stop string; "" without `decode`. */
  readonly text: string;
  readonly finish: FinishReason;
}

/**
 * Runs {@link generate} to its end: one result per prompt, in their order.
 * @throws EitpError as {@link generate}
 * @example
 * ```ts
 * const [first] = await generateAll(model, params, [[1, 2, 3]], { maxNewTokens: 20 });
 * ```
 */
export async function generateAll(
  model: GptModel,
  params: Params,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<readonly Generated[]> {
  const results = prompts.map(() => ({ tokens: [] as number[], text: "", finish: "length" as FinishReason }));
  for await (const { row, token, text, finish } of generate(model, params, prompts, options)) {
    const result = results[row];
    assert(result !== undefined, `generation reported row ${row} of ${prompts.length}`);
    result.tokens.push(token);
    result.text += text;
    if (finish !== null) result.finish = finish;
  }
  return results;
}
