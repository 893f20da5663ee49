import type { Positions } from "@eitp/core/spec";
import { EitpError } from "@eitp/engine";

/** What a model must be told; everything else has a default (see {@link GptConfig}). */
export interface GptOptions extends Partial<GptConfig> {
  readonly vocabulary: number;
  readonly context: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

/** A complete description of one model; plain JSON, so that it can be saved beside the weights. */
export interface GptConfig {
  /** Number of token ids, V. */
  readonly vocabulary: number;
  /** Training length in tokens. With learned positions it is also the longest input. */
  readonly context: number;
  /** Width of the residual stream, D. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Drop probability in [0, 1) of the embedding sum, the attention probabilities and both residual branches. Default 0. */
  readonly dropout: number;
  /** Default "learned" (GPT-2). "rotary": Su et al. 2021; "alibi": Press et al. 2022; "none": the causal mask alone. */
  readonly positions: Positions;
  /** Adds a learned share of the previous token's embedding: what lets a small model bind neighbours. Default false. */
  readonly tokenShift: boolean;
  /** Multiplies query i by ln(i + 1)/ln(context), so that attention stays sharp on longer inputs. Default false. */
  readonly logN: boolean;
  /** Added to the variance in every layer norm. Default 1e-5. */
  readonly epsilon: number;
  /** Standard deviation of fresh weights; the last layer of each residual branch gets it divided by √(2·layers). Default 0.02. */
  readonly initStd: number;
  /** Bytes of logits that `nll` may hold at once; the engine's default where absent. */
  readonly headBudgetBytes?: number;
}

const positionKinds: readonly Positions[] = ["learned", "rotary", "alibi", "none"];

/**
 * Fills in defaults and refuses what cannot be built.
 * @throws EitpError "usage" naming the first mistake: the field, what it must be, what it was.
 * @example
 * ```ts
 * const config = checkConfig({ vocabulary: 256, context: 64, width: 64, layers: 2, heads: 4 });
 * ```
 */
export function checkConfig(options: GptOptions): GptConfig {
  const config: GptConfig = {
    vocabulary: options.vocabulary,
    context: options.context,
    width: options.width,
    layers: options.layers,
    heads: options.heads,
    dropout: options.dropout ?? 0,
    positions: options.positions ?? "learned",
    tokenShift: options.tokenShift ?? false,
    logN: options.logN ?? false,
    epsilon: options.epsilon ?? 1e-5,
    initStd: options.initStd ?? 0.02,
    ...(options.headBudgetBytes !== undefined && { headBudgetBytes: options.headBudgetBytes }),
  };
  for (const field of ["vocabulary", "context", "width", "layers", "heads"] as const) wholeNumber(field, config[field]);
  for (const field of ["tokenShift", "logN"] as const) {
    if (typeof config[field] !== "boolean") fail(`${field} must be true or false, got ${JSON.stringify(config[field])}`);
  }
  if (config.headBudgetBytes !== undefined) wholeNumber("headBudgetBytes", config.headBudgetBytes);
  if (config.width % config.heads !== 0) {
    const near = nearestDivisor(config.width, config.heads);
    fail(`width ${config.width} is not divisible by heads ${config.heads}; with this width try heads ${near}`);
  }
  if (!positionKinds.includes(config.positions)) {
    fail(`positions must be one of ${positionKinds.map((p) => `"${p}"`).join(", ")}, got ${JSON.stringify(config.positions)}`);
  }
  const headWidth = config.width / config.heads;
  if (config.positions === "rotary" && headWidth % 2 !== 0) {
    fail(`rotary positions turn pairs, so width/heads must be even; it is ${config.width}/${config.heads} = ${headWidth}`);
  }
  if (!(config.dropout >= 0 && config.dropout < 1)) fail(`dropout must be at least 0 and below 1, got ${config.dropout}`);
  if (!(config.epsilon > 0 && Number.isFinite(config.epsilon))) fail(`epsilon must be a positive number, got ${config.epsilon}`);
  if (!(config.initStd > 0 && Number.isFinite(config.initStd))) fail(`initStd must be a positive number, got ${config.initStd}`);
  if (config.logN && config.context < 2) fail(`logN divides by ln(context), so context must be at least 2, got ${config.context}`);
  return Object.freeze(config);
}

function wholeNumber(field: string, value: unknown): void {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    fail(`${field} must be a whole number of at least 1, got ${String(value)}`);
  }
}

function nearestDivisor(width: number, heads: number): number {
  for (let distance = 1; ; distance++) {
    if (heads > distance && width % (heads - distance) === 0) return heads - distance;
    if (width % (heads + distance) === 0) return heads + distance;
  }
}

function fail(message: string): never {
  throw new EitpError("usage", `model configuration: ${message}`);
}
