import type { Block, Dual, Forward, InputMap, Model, ModelBatch, Need, Params, Rng, Structure } from "@eitp/core/spec";
import { assert, dual, EitpError, type Ops, primal } from "@eitp/engine";
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { type BlockOptions, block } from "./block.ts";
import { checkConfig, type GptConfig, type GptOptions } from "./config.ts";
import { type BlockMasks, blockMasks, embedMask } from "./dropout.ts";
import { checkLength, type EmbedOptions, embed } from "./embed.ts";
import { finalNorm, headLogits, headNll } from "./head.ts";
import { checkParams, initParams } from "./parameters.ts";
import { checkSlots, type Slots, slottedParams } from "./slots.ts";
import { parametersOf } from "./steps.ts";
import { structureOf } from "./structure.ts";

/** A GPT as data (`config`, `structure`, `shape`) and pure functions over a flat parameter record with Hugging Face's names. */
export interface GptModel extends Model {
  readonly config: GptConfig;
  readonly structure: Structure;
  /** Fresh parameters (Radford et al. 2019, §2.3); the caller disposes them. */
  init(rng: Rng): Params;
  /** With gates or fake quantisers in place, if `slots` are given. Wrap in `tidy` or a tape: intermediates belong to the caller's scope. */
  apply(params: Params, batch: ModelBatch, needs: ReadonlySet<Need>, forward: Forward, slots?: Slots): Partial<InputMap>;
  /** [B, T] int32 → [B, T, D]. */
  embed(params: Params, tokens: Tensor2D, options?: EmbedOptions): Tensor3D;
  /** Block `layer`, [B, T, D] → [B, T, D], over the operations given. */
  block<T>(ops: Ops<T>, params: Params, layer: number, x: T, options?: BlockOptions<T>): T;
  /** Final norm and tied head, [B, T, D] → [B, T, V]. */
  logits(params: Params, x: Tensor, slots?: Slots): Tensor3D;
}

const supplies: readonly Need[] = ["tokens", "targets", "logits", "nll", "hidden", "attention", "normed", "blocks", "params", "structure"];

/**
 * Builds a GPT-2-class model (Radford et al. 2019): pre-norm blocks, tanh-GELU, tied head.
 * @throws EitpError "usage" for a configuration that cannot be built (see {@link checkConfig}).
 * @example
 * ```ts
 * const model = gpt({ ...presets.nano, vocabulary: 65 });
 * const params = model.init(counterRng(1));
 * ```
 */
export function gpt(options: GptOptions): GptModel {
  const config = checkConfig(options);
  const structure = structureOf(config);
  const refs = parametersOf(structure);
  const { width, layers, vocabulary } = config;
  return Object.freeze<GptModel>({
    config,
    structure,
    shape: { width, layers, vocabulary, params: Object.fromEntries(refs.map(({ name, shape }) => [name, shape])) },
    supplies,
    init: (rng) => initParams(config, refs, rng),
    embed: (params, tokens, where) => embed(config, params, tokens, where) as Tensor3D,
    block: (ops, params, layer, x, how) => block(ops, config, params, layer, x, how),
    logits: (params, x, slots) => headLogits(params, finalNorm(config, params, x), slots),
    apply(params, batch, needs, forward, slots) {
      checkNeeds(needs);
      checkParams(refs, params);
      checkSlots(structure, slots);
      checkBatch(config, batch);
      return {
        ...(needs.has("tokens") && { tokens: batch.tokens }),
        ...(needs.has("targets") && { targets: batch.targets }),
        ...(needs.has("params") && { params }),
        ...(needs.has("structure") && { structure }),
        ...((["logits", "nll", "hidden", "attention", "normed", "blocks"] as const).some((need) => needs.has(need)) &&
          compute(config, slottedParams(params, slots), batch, needs, forward, slots)),
      };
    },
  });
}

/** The part of `apply` that has kernels to run. */
function compute(
  config: GptConfig,
  params: Params,
  batch: ModelBatch,
  needs: ReadonlySet<Need>,
  forward: Forward,
  slots: Slots | undefined,
): Partial<InputMap> {
  const { tokens, targets } = batch;
  const layers = Array.from({ length: config.layers }, (_, layer) => layer);
  const dropping = forward.training && config.dropout > 0;
  const masks = layers.map((layer) => (dropping ? blockMasks(config, forward.rng, layer, tokens.shape) : undefined));
  const blocks = needs.has("blocks") ? { blocks: dualBlocks(config, params, slots, masks) } : {};

  const wantsHead = needs.has("logits") || needs.has("nll");
  const wantsFinalNorm = wantsHead || needs.has("normed");
  if (!wantsFinalNorm && !needs.has("hidden") && !needs.has("attention")) return blocks;

  const normed: Tensor3D[] = [];
  const attention: Tensor4D[] = [];
  let x: Tensor = embed(config, params, tokens);
  if (dropping) x = primal.gate(x, embedMask(config, forward.rng, tokens.shape));
  const hidden: [Tensor3D, ...Tensor3D[]] = [x as Tensor3D];
  for (const layer of layers) {
    x = block(primal, config, params, layer, x, {
      slots,
      masks: masks[layer],
      ...(needs.has("normed") && { onNorm: (y: Tensor) => normed.push(y as Tensor3D) }),
      ...(needs.has("attention") && {
        onAttention: (qkv: Tensor, how: Parameters<typeof primal.attention>[1]) =>
          attention.push(primal.attentionProbabilities(qkv, how) as Tensor4D),
      }),
    });
    hidden.push(x as Tensor3D);
  }
  const taps = { ...blocks, ...(needs.has("hidden") && { hidden }), ...(needs.has("attention") && { attention }) };
  if (!wantsFinalNorm) return taps;

  const last = finalNorm(config, params, x);
  normed.push(last as Tensor3D);
  return {
    ...taps,
    ...(needs.has("normed") && { normed }),
    ...(needs.has("logits") && { logits: headLogits(params, last, slots) }),
    // Never derived from `logits`, though it could be: a term that asks for them must not move a bit of the cross-entropy.
    ...(needs.has("nll") && { nll: headNll(config, params, last, targets, slots) }),
  };
}

function dualBlocks(
  config: GptConfig,
  params: Params,
  slots: Slots | undefined,
  masks: readonly (BlockMasks | undefined)[],
): readonly Block[] {
  return masks.map((own, layer) => (x: Dual): Dual => {
    const { value, tangent } = block(dual, config, params, layer, x, { slots, masks: own });
    assert(tangent !== null, `block ${layer} lost its tangent`);
    return { value, tangent };
  });
}

function checkNeeds(needs: ReadonlySet<Need>): void {
  for (const need of needs) {
    if (!supplies.includes(need)) {
      throw new EitpError("usage", `the model cannot supply "${need}"; it supplies ${supplies.join(", ")}`);
    }
  }
}

function checkBatch(config: GptConfig, { tokens, targets }: ModelBatch): void {
  if (tokens.rank !== 2 || tokens.dtype !== "int32") {
    throw new EitpError("usage", `tokens must be int32 of shape [sequences, length], got ${tokens.dtype} [${tokens.shape}]`);
  }
  if (targets.rank !== 2 || targets.dtype !== "int32" || targets.shape.some((size, axis) => size !== tokens.shape[axis])) {
    throw new EitpError(
      "usage",
      `targets must be int32 of shape [${tokens.shape}] like the tokens, got ${targets.dtype} [${targets.shape}]`,
    );
  }
  checkLength(config, tokens.shape[1]);
}
