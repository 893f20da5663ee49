import { EitpError } from "@eitp/engine/error";

/** Drawing at random; each part left out changes nothing. */
export interface SamplingOptions {
  /** Logits are divided by it. > 0; default 1. */
  readonly temperature?: number;
  /** Only this many likeliest tokens (and ties with the last of them). ≥ 1. */
  readonly topK?: number;
  /** Only the likeliest tokens that together reach this probability (Holtzman et al. 2020). In (0, 1]. */
  readonly topP?: number;
  /** Integer from 0 to 2⁵³ − 1; default 0. The same seed gives the same text. */
  readonly seed?: number;
  /** Number of the first prompt in the random stream, default 0: prompt i of a batch is drawn as a single prompt with `firstRow: i` is. */
  readonly firstRow?: number;
}

/** What the scores become before one is chosen. */
export interface DistributionOptions extends Pick<SamplingOptions, "temperature" | "topK" | "topP"> {
  /** Scores of tokens already in the text are divided by it, or multiplied where negative (Keskar et al. 2019, CTRL, §4.1). > 0; default 1. */
  readonly repetitionPenalty?: number;
}

/** How to go on from a prompt. */
export interface GenerateOptions {
  /** Most tokens to add to each prompt, ≥ 1. */
  readonly maxNewTokens: number;
  /** Absent: the likeliest token each time (greedy). */
  readonly sampling?: SamplingOptions;
  /** See {@link DistributionOptions}; counts prompt and new tokens. */
  readonly repetitionPenalty?: number;
  /** Ids that end a text. The id is reported, its text is not. */
  readonly endOfText?: readonly number[];
  /** Text of tokens; without it steps carry ids only. Incomplete UTF-8 must come out as U+FFFD, as `TextDecoder` does. */
  readonly decode?: (tokens: readonly number[]) => string;
  /** The text ends before the first of these; needs `decode`. */
  readonly stop?: readonly string[];
  /**
   * Where learned positions run out. "slide" (default): go on with the last half context as a new beginning, and so again whenever it is
   * full; what is further back is forgotten. "refuse": an error before the first step.
   */
  readonly overflow?: "slide" | "refuse";
  /** Aborting ends generation with an error "interrupted" before the next step. */
  readonly signal?: AbortSignal;
}

/** @throws EitpError "usage" naming the option, what it must be, and what came. */
export function checkOptions(options: GenerateOptions, vocabulary: number): void {
  const { maxNewTokens, sampling = {}, endOfText = [], stop = [], decode, overflow = "slide" } = options;
  integer("maxNewTokens", maxNewTokens, 1);
  checkDistribution({ ...sampling, ...(options.repetitionPenalty !== undefined && { repetitionPenalty: options.repetitionPenalty }) });
  if (sampling.seed !== undefined) integer("seed", sampling.seed, 0);
  if (sampling.firstRow !== undefined) integer("firstRow", sampling.firstRow, 0);
  for (const id of endOfText) {
    integer("endOfText", id, 0);
    if (id >= vocabulary) refuse("endOfText", `token ids below ${vocabulary}`, id);
  }
  if (stop.some((text) => text === "")) refuse("stop", "strings that are not empty", "");
  if (stop.length > 0 && decode === undefined) refuse("stop", "a `decode` function beside it, to find the strings in the text", "none");
  if (overflow !== "slide" && overflow !== "refuse") refuse("overflow", '"slide" or "refuse"', overflow);
}

/** @throws EitpError "usage", as {@link checkOptions}. */
function checkDistribution({ temperature, topK, topP, repetitionPenalty }: DistributionOptions): void {
  if (temperature !== undefined && !(temperature > 0 && Number.isFinite(temperature))) {
    refuse("temperature", "a number above 0 (leave `sampling` out for greedy)", temperature);
  }
  if (topK !== undefined) integer("topK", topK, 1);
  if (topP !== undefined && !(topP > 0 && topP <= 1)) refuse("topP", "above 0 and at most 1", topP);
  if (repetitionPenalty !== undefined && !(repetitionPenalty > 0 && Number.isFinite(repetitionPenalty))) {
    refuse("repetitionPenalty", "a number above 0 (1 changes nothing)", repetitionPenalty);
  }
}

/** @throws EitpError "usage" for no prompts, an empty prompt, or a token outside the vocabulary. */
export function checkPrompts(prompts: readonly (readonly number[])[], vocabulary: number): void {
  if (prompts.length === 0) refuse("prompts", "at least one prompt", "none");
  for (const [row, prompt] of prompts.entries()) {
    if (prompt.length === 0) refuse(`prompt ${row}`, "at least one token; begin with the end-of-text token to start from nothing", "none");
    const at = prompt.findIndex((id) => !Number.isSafeInteger(id) || id < 0 || id >= vocabulary);
    if (at >= 0) refuse(`prompt ${row}`, `token ids from 0 to ${vocabulary - 1}`, `${prompt[at]} at position ${at}`);
  }
}

function integer(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) refuse(name, `an integer of at least ${least}`, value);
}
function refuse(name: string, expected: string, got: unknown): never {
  const shown = got === "" ? '""' : String(got);
  throw new EitpError("usage", `generate: ${name} must be ${expected}; got ${shown}.`);
}
