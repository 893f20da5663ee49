import type { Params } from "@eitp/core/spec";
import type { AttentionOptions, Ops } from "@eitp/engine";
import type { GptConfig } from "./config.ts";
import type { BlockMasks } from "./dropout.ts";
import { parameter } from "./parameters.ts";
import { perUnit, type Slots } from "./slots.ts";

/** What may be done to a block from outside; all of it optional. */
export interface BlockOptions<T> {
  readonly slots?: Slots | undefined;
  readonly masks?: BlockMasks | undefined;
  /** Stands in for `ops.attention`: generation attends to its cache. Packed [B, T, 3D] → [B, T, D]. */
  attend?(qkv: T, options: AttentionOptions): T;
  /** Sees the output of each layer norm, in order. */
  onNorm?(normed: T): void;
  /** Sees what attention is about to be computed from. */
  onAttention?(qkv: T, options: AttentionOptions): void;
}

/**
 * Block `layer` of GPT-2 (Radford et al. 2019, §2.3: pre-norm), over plain tensors or value–tangent pairs: the one source that training,
 * generation and Jacobian-vector products share. [B, T, D] → [B, T, D].
 *
 *     a = x + proj(attention(ln₁(x)·W_qkv))
 *     y = a + proj(gelu(ln₂(a)·W_fc))
 *
 * @throws EitpError "data" where the record lacks a parameter.
 */
export function block<T>(ops: Ops<T>, config: GptConfig, params: Params, layer: number, x: T, options: BlockOptions<T> = {}): T {
  const name = `h.${layer}`;
  const { slots, masks } = options;
  const gateOf = (slot: string) => slots?.gates?.[slot];

  const norm = (part: string, input: T): T => {
    const normed = ops.layerNorm(input, parameter(params, `${part}.weight`), parameter(params, `${part}.bias`), config.epsilon);
    options.onNorm?.(normed);
    return normed;
  };
  const linear = (part: string, input: T): T => {
    const seen = slots?.activation === undefined ? input : slots.activation(ops, part, input);
    return ops.linear(seen, parameter(params, `${part}.weight`), parameter(params, `${part}.bias`));
  };

  const qkv = linear(`${name}.attn.c_attn`, norm(`${name}.ln_1`, x));
  const attention = attentionOptions(config, masks);
  options.onAttention?.(qkv, attention);
  let mixed = options.attend === undefined ? ops.attention(qkv, attention) : options.attend(qkv, attention);
  const headGate = gateOf(`${name}.attn.heads`);
  if (headGate !== undefined) mixed = ops.gate(mixed, perUnit(headGate, config.width / config.heads));
  let branch = linear(`${name}.attn.c_proj`, mixed);
  if (masks !== undefined) branch = ops.gate(branch, masks.attentionOut);
  const attended = ops.add(x, branch);

  let units = ops.gelu(linear(`${name}.mlp.c_fc`, norm(`${name}.ln_2`, attended)));
  const unitGate = gateOf(`${name}.mlp.units`);
  if (unitGate !== undefined) units = ops.gate(units, unitGate);
  branch = linear(`${name}.mlp.c_proj`, units);
  if (masks !== undefined) branch = ops.gate(branch, masks.mlpOut);
  return ops.add(attended, branch);
}

/** How this model attends; the same for every block but for the mask. */
function attentionOptions(config: GptConfig, masks?: BlockMasks): AttentionOptions {
  return {
    heads: config.heads,
    positions: config.positions,
    logN: config.logN ? config.context : null,
    ...(masks !== undefined && { dropout: masks.attention }),
  };
}
