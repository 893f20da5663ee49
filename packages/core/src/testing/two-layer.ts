import { type AttentionOptions, assert, type DualTensor, dual, embedding, headCrossEntropy, type Ops, primal } from "@eitp/engine";
import { add, mul, ones, reshape, slice, type Tensor, tidy, zeros } from "@tensorflow/tfjs-core";
import type { Block, InputMap, Model, Need, Params, Rng } from "../spec/index.ts";
import { parameterShapes, type TwoLayerShape, twoLayerStructure } from "./two-layer-structure.ts";

// Letters: B sequences, T tokens, D width, H heads, V vocabulary.

const layers = 2;
const epsilon = 1e-5;

/**
 * A GPT-2 in miniature for tests of terms: two pre-norm blocks of attention and a tanh-GELU network, learned positions, tied head. It
 * supplies every input of the spec and describes itself; its blocks are the same code on tensors and on value–tangent pairs.
 * Linear weights start at N(0, 0.2²) and embeddings at N(0, 0.5²), so that every path carries signal and tokens differ; biases start at 0,
 * where |w| has its kink.
 */
export function twoLayer({ width = 8, heads = 2, vocabulary = 11, context = 8 }: Partial<TwoLayerShape> = {}): Model {
  const shape: TwoLayerShape = { width, heads, vocabulary, context };
  const shapes = parameterShapes(shape, layers);
  const attention: AttentionOptions = { heads, positions: "learned", logN: null };
  const structure = twoLayerStructure(shape, layers);

  const apply = (params: Params, { tokens, targets }: { tokens: Tensor; targets: Tensor }, needs: ReadonlySet<Need>): Partial<InputMap> => {
    const normed: Tensor[] = [];
    const attentions: Tensor[] = [];
    const blockOf = blocks(params, attention);
    const taps: Taps = {
      normed: (x) => normed.push(x),
      ...(needs.has("attention") && { qkv: (qkv: Tensor) => attentions.push(primal.attentionProbabilities(qkv, attention)) }),
    };
    const length = tokens.shape[1] ?? 0;
    const positions = slice(of(params, "wpe.weight"), [0, 0], [length, width]);
    const hidden = [add(embedding(of(params, "wte.weight"), tokens), positions)];
    for (let l = 0; l < layers; l++) hidden.push(blockOf(primal, l, hidden[l] as Tensor, taps));

    const wanted: { -readonly [K in Need]?: unknown } = { tokens, targets, params, structure, hidden };
    if (needs.has("blocks")) wanted.blocks = Array.from({ length: layers }, (_, l) => asDual((x) => blockOf(dual, l, x, {})));
    if (needs.has("attention")) wanted.attention = attentions;
    if (needs.has("logits") || needs.has("nll") || needs.has("normed")) {
      const last = norm(primal, params, "ln_f", hidden[layers] as Tensor, taps);
      const head = of(params, "wte.weight");
      wanted.normed = normed;
      if (needs.has("logits")) wanted.logits = primal.linear(last, head, null, true);
      if (needs.has("nll")) wanted.nll = reshape(headCrossEntropy(reshape(last, [-1, width]), head, reshape(targets, [-1])), targets.shape);
    }
    return Object.fromEntries(Object.entries(wanted).filter(([need]) => needs.has(need as Need))) as Partial<InputMap>;
  };
  return {
    shape: { width, layers, vocabulary, params: shapes },
    supplies: ["tokens", "targets", "logits", "nll", "hidden", "attention", "normed", "blocks", "params", "structure"],
    structure,
    init: (rng) => Object.fromEntries(Object.entries(shapes).map(([name, s]) => [name, start(rng.fold(name), name, s)])),
    apply,
  };
}

/** Where the forward shows what passes by. */
interface Taps {
  readonly normed?: (x: Tensor) => void;
  readonly qkv?: (x: Tensor) => void;
}
type BlockOf = <X>(ops: Ops<X>, layer: number, x: X, taps: Taps) => X;

/** x + attention(norm(x)), then x + network(norm(x)). */
function blocks(params: Params, attention: AttentionOptions): BlockOf {
  return (ops, layer, x, taps) => {
    const at = (name: string): string => `h.${layer}.${name}`;
    const linear = (input: typeof x, name: string): typeof x =>
      ops.linear(input, of(params, `${at(name)}.weight`), of(params, `${at(name)}.bias`));
    const qkv = linear(norm(ops, params, at("ln_1"), x, taps), "attn.c_attn");
    taps.qkv?.(ops.value(qkv));
    const mixed = ops.add(x, linear(ops.attention(qkv, attention), "attn.c_proj"));
    const inner = ops.gelu(linear(norm(ops, params, at("ln_2"), mixed, taps), "mlp.c_fc"));
    return ops.add(mixed, linear(inner, "mlp.c_proj"));
  };
}

function norm<X>(ops: Ops<X>, params: Params, name: string, x: X, taps: Taps): X {
  const y = ops.layerNorm(x, of(params, `${name}.weight`), of(params, `${name}.bias`), epsilon);
  taps.normed?.(ops.value(y));
  return y;
}

function asDual(block: (x: DualTensor) => DualTensor): Block {
  return (x) => {
    const { value, tangent } = block(x);
    assert(tangent !== null, "a block of the test model lost its tangent");
    return { value, tangent };
  };
}

function start(rng: Rng, name: string, shape: readonly number[]): Tensor {
  if (name.endsWith(".bias")) return zeros([...shape]);
  if (shape.length === 1) return ones([...shape]);
  return tidy(() => mul(rng.normal(shape), name.startsWith("w") ? 0.5 : 0.2));
}

function of(params: Params, name: string): Tensor {
  const found = params[name];
  assert(found !== undefined, `the test model has no parameter '${name}'`);
  return found;
}
