import { add, matMul, mul, sub, sum, type Tensor } from "@tensorflow/tfjs-core";
import { isFused } from "../fused/kernels.ts";
import { attention, dropped, type Heads, mergeHeads, probabilities, splitHeads } from "./attention.ts";
import { gelu, geluDerivative } from "./gelu.ts";
import { layerNorm, layerNormTangent } from "./layer-norm.ts";
import { linear } from "./linear.ts";
import { shift } from "./shift.ts";
import type { AttentionOptions, DualTensor, Ops } from "./types.ts";

const pair = (value: Tensor, tangent: Tensor | null): DualTensor => ({ value, tangent });

/** An operation that is linear in x acts on the tangent as on the value. */
const linearly = (x: DualTensor, f: (x: Tensor) => Tensor): DualTensor => pair(f(x.value), x.tangent === null ? null : f(x.tangent));

/**
 * The same operations on value–tangent pairs: forward-mode derivatives, one Jacobian-vector product for about the price of a second forward.
 * Values are those of `primal` bit for bit; tangents are ordinary differentiable operations, so a loss of a tangent trains.
 * @see Baydin et al., "Automatic Differentiation in Machine Learning: a Survey", 2018, §3.1
 */
export const dual: Ops<DualTensor> = Object.freeze({
  constant: (x: Tensor) => pair(x, null),
  value: (x: DualTensor) => x.value,
  add: (a: DualTensor, b: DualTensor) =>
    pair(add(a.value, b.value), a.tangent === null ? b.tangent : b.tangent === null ? a.tangent : add(a.tangent, b.tangent)),
  scale: (x: DualTensor, factor: number) => linearly(x, (t) => mul(t, factor)),
  gate: (x: DualTensor, factor: Tensor) => linearly(x, (t) => mul(t, factor)),
  linear: (x: DualTensor, weight: Tensor, bias: Tensor | null, transposed = false) =>
    pair(linear(x.value, weight, bias, transposed), x.tangent === null ? null : linear(x.tangent, weight, null, transposed)),
  layerNorm: (x: DualTensor, weight: Tensor, bias: Tensor, epsilon: number) =>
    pair(layerNorm(x.value, weight, bias, epsilon), x.tangent === null ? null : layerNormTangent(x.value, x.tangent, weight, epsilon)),
  gelu: (x: DualTensor) => pair(gelu(x.value), x.tangent === null ? null : mul(geluDerivative(x.value), x.tangent)),
  attention: attentionDual,
  attentionProbabilities: (qkv: DualTensor, options: AttentionOptions) => {
    const x = splitHeads(qkv.value, options);
    const a = probabilities(x.q, x.k, options);
    return pair(a, qkv.tangent === null ? null : probabilitiesTangent(a, x, splitHeads(qkv.tangent, options)));
  },
  shift: (x: DualTensor) => linearly(x, shift),
});

/** out = A·v, so ȯut = Ȧ·v + A·v̇; the dropout mask is a constant of both. */
function attentionDual(qkv: DualTensor, options: AttentionOptions): DualTensor {
  if (qkv.tangent === null) return pair(attention(qkv.value, options), null);
  const x = splitHeads(qkv.value, options);
  const dx = splitHeads(qkv.tangent, options);
  const a = probabilities(x.q, x.k, options);
  const da = probabilitiesTangent(a, x, dx);
  // A fused kernel rounds in an order of its own, so only it gives the primal's bits.
  const value = isFused("EitAttention") ? attention(qkv.value, options) : mergeHeads(matMul(dropped(a, options), x.v));
  return pair(value, mergeHeads(add(matMul(dropped(da, options), x.v), matMul(dropped(a, options), dx.v))));
}

/** Ȧ = A∘Ṡ − A·rowsum(A∘Ṡ) with Ṡ = q̇kᵀ + qk̇ᵀ; the masked entries have A = 0, and so Ȧ = 0. */
function probabilitiesTangent(a: Tensor, x: Heads, dx: Heads): Tensor {
  const ds = add(matMul(dx.q, x.k, false, true), matMul(x.q, dx.k, false, true));
  const weighted = mul(a, ds);
  return sub(weighted, mul(a, sum(weighted, -1, true)));
}
