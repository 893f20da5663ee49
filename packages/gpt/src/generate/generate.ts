import type { Params } from "@eitp/core/spec";
import { type Counter, counter } from "@eitp/engine";
import { EitpError } from "@eitp/engine/error";
import type { GptModel } from "../model/gpt.ts";
import { checkParams } from "../model/parameters.ts";
import { parametersOf } from "../model/steps.ts";
import { breather } from "./breather.ts";
import { type CachedRows, cachedRows } from "./cached-rows.ts";
import { argmax, draw, nextTokenDistribution, penalised } from "./distribution.ts";
import { checkOptions, checkPrompts, type GenerateOptions } from "./options.ts";
import { type TextStream, textStream } from "./text-stream.ts";

/** Why a text ended: its length is used up, a stop string came, or an end-of-text token. */
export type FinishReason = "length" | "stop" | "endOfText";

/** One new token of one text. */
export interface GenerationStep {
  /** Which prompt. */
  readonly row: number;
  /** Which new token of it, from 0. */
  readonly index: number;
  readonly token: number;
  /** Text that may be shown now; may be empty, or more than this token's. Empty without `decode`. */
  readonly text: string;
  /** Null while the text goes on. */
  readonly finish: FinishReason | null;
}

/** A text in the making. */
interface Row {
  readonly row: number;
  readonly tokens: number[];
  readonly promptLength: number;
  readonly stream: TextStream | null;
}
/** Texts of equal length, computed together. */
interface Group {
  readonly memory: CachedRows;
  rows: readonly Row[];
}

/**
 * Continues prompts token by token, with a key-value cache. Yields one step per text and token; texts of equal length are computed
 * together, others in turn, so a text comes out as it would alone. Leaving the loop early frees everything; `params` stay the caller's.
 * @param prompts token ids, at least one each
 * @throws EitpError "usage" at once for wrong options or prompts, "data" for parameters of another model; while running "interrupted" after
 * an abort, "nonFinite" where the model gives NaN
 * @example
 * ```ts
 * for await (const { text } of generate(model, params, [[1, 2, 3]], { maxNewTokens: 20, decode, sampling: { topP: 0.9, seed: 7 } })) show(text);
 * ```
 */
export function generate(
  model: GptModel,
  params: Params,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): AsyncGenerator<GenerationStep, void, undefined> {
  const { vocabulary } = model.config;
  checkOptions(options, vocabulary);
  checkPrompts(prompts, vocabulary);
  checkRoom(model, prompts, options);
  checkParams(parametersOf(model.structure), params);
  return run(model, params, prompts, options);
}

async function* run(
  model: GptModel,
  params: Params,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): AsyncGenerator<GenerationStep, void, undefined> {
  const { maxNewTokens, signal } = options;
  const rng = counter(options.sampling?.seed ?? 0).fold("generate");
  const breathe = breather();
  const groups = groupByLength(prompts, options).map((rows): Group => ({ memory: cachedRows(model, params), rows }));
  try {
    for (let index = 0; index < maxNewTokens; index++) {
      for (const group of groups.filter(({ rows }) => rows.length > 0)) {
        await breathe();
        if (signal?.aborted) {
          throw new EitpError("interrupted", `generation was aborted after ${index} of ${maxNewTokens} tokens.`, { cause: signal.reason });
        }
        const scores = await group.memory.append(unseen(group, model.structure.context));

        const going: number[] = [];
        for (const [i, row] of group.rows.entries()) {
          const token = choose(scores[i] as Float32Array, row, options, rng);
          row.tokens.push(token);
          const step = report(row, token, options);
          if (step.finish === null) going.push(i);
          yield step;
        }

        group.rows = going.map((i) => group.rows[i] as Row);
        if (going.length > 0) group.memory.keep(going);
        else group.memory.dispose();
      }
    }
  } finally {
    for (const { memory } of groups) memory.dispose();
  }
}

function groupByLength(prompts: readonly (readonly number[])[], { decode, stop = [] }: GenerateOptions): readonly (readonly Row[])[] {
  const groups = new Map<number, Row[]>();
  for (const [row, prompt] of prompts.entries()) {
    const stream = decode === undefined ? null : textStream(decode, stop);
    const group = groups.get(prompt.length) ?? [];
    groups.set(prompt.length, [...group, { row, tokens: [...prompt], promptLength: prompt.length, stream }]);
  }
  return [...groups.values()];
}

/** What the memory has yet to see of each text; where positions run out, it starts anew with the last half context. */
function unseen({ memory, rows }: Group, context: number | null): readonly (readonly number[])[] {
  const fresh = memory.length === 0 ? (rows[0] as Row).tokens.length : 1;
  if (context === null || memory.length + fresh <= context) return rows.map(({ tokens }) => tokens.slice(-fresh));
  memory.dispose();
  const window = Math.max(1, Math.floor(context / 2));
  return rows.map(({ tokens }) => tokens.slice(-window));
}

function choose(scores: Float32Array, { row, tokens }: Row, { sampling, repetitionPenalty = 1 }: GenerateOptions, rng: Counter): number {
  if (sampling === undefined) return argmax(penalised(scores, tokens, repetitionPenalty));
  const probabilities = nextTokenDistribution(scores, tokens, { ...sampling, repetitionPenalty });
  // Keyed by text and position alone: neither the rest of the batch nor the order of computation moves a draw.
  return draw(probabilities, rng.fold((sampling.firstRow ?? 0) + row).uniform(tokens.length));
}

function report(
  { row, tokens, promptLength, stream }: Row,
  token: number,
  { maxNewTokens, endOfText = [] }: GenerateOptions,
): GenerationStep {
  const index = tokens.length - promptLength - 1;
  const step = { row, index, token };
  if (endOfText.includes(token)) return { ...step, text: stream?.flush() ?? "", finish: "endOfText" };
  const { text, stopped } = stream?.push(token) ?? { text: "", stopped: false };
  if (stopped) return { ...step, text, finish: "stop" };
  if (index + 1 < maxNewTokens) return { ...step, text, finish: null };
  return { ...step, text: text + (stream?.flush() ?? ""), finish: "length" };
}

function checkRoom({ config, structure }: GptModel, prompts: readonly (readonly number[])[], options: GenerateOptions): void {
  const { context } = structure;
  if (context === null || options.overflow !== "refuse") return;
  for (const [row, prompt] of prompts.entries()) {
    // The last new token is never fed back.
    const needed = prompt.length + options.maxNewTokens - 1;
    if (needed <= context) continue;
    throw new EitpError(
      "usage",
      `generate: prompt ${row} of ${prompt.length} tokens and ${options.maxNewTokens} new ones need ${needed} positions, but the model has ` +
        `${config.context}. Shorten either, or let the context slide (overflow: "slide").`,
    );
  }
}
