import { add, mean, mul, ones, reshape, type Tensor, tensor, tensor1d, zeros } from "@tensorflow/tfjs-core";
import { embedding } from "../ops/embedding.ts";
import { headCrossEntropy } from "../ops/head-cross-entropy.ts";
import { primal } from "../ops/primal.ts";
import type { Ops } from "../ops/types.ts";
import { counterRng } from "../rng.ts";

// Letters: B sequences, T tokens, D width, H heads, V vocabulary.
const [B, T, D, H, V] = [3, 11, 12, 3, 19];
const rng = counterRng(23);

/** A model of one block, small and odd in every size. */
export type Params = Readonly<Record<(typeof names)[number], Tensor>>;
const names = ["wte", "wpe", "qkv", "qkvB", "proj", "fc", "fcB", "out", "norm", "normB"] as const;

/** Fresh parameters on the current backend. */
export function freshParams(): Params {
  const normal = (name: string, shape: readonly number[]): Tensor => mul(rng.fold(name).normal(shape), 0.3);
  return {
    wte: normal("wte", [V, D]),
    wpe: normal("wpe", [T, D]),
    qkv: normal("qkv", [D, 3 * D]),
    qkvB: zeros([3 * D]),
    proj: normal("proj", [D, D]),
    fc: normal("fc", [D, 4 * D]),
    fcB: normal("fcB", [4 * D]),
    out: normal("out", [4 * D, D]),
    norm: ones([D]),
    normB: zeros([D]),
  };
}

/** The block over plain tensors or value–tangent pairs. */
export function block<X>(ops: Ops<X>, x: X, p: Params): X {
  const norm = (y: X): X => ops.layerNorm(y, p.norm, p.normB, 1e-5);
  const a = ops.attention(ops.linear(norm(x), p.qkv, p.qkvB), { heads: H, positions: "rotary", logN: null });
  const y = ops.add(x, ops.linear(a, p.proj, null));
  return ops.add(y, ops.linear(ops.gelu(ops.linear(norm(y), p.fc, p.fcB)), p.out, null));
}

/** Mean cross-entropy of batch `i`, some targets ignored. */
export function lossOf(p: Params, i: number): Tensor {
  const text = Array.from({ length: B * T }, (_, j) => (j * j + 3 * i) % V);
  const targets = text.map((id, j) => (j % 5 === 4 ? -1 : (id * 7 + 1) % V));
  const x = add(embedding(p.wte, tensor(text, [B, T], "int32")), p.wpe);
  return mean(headCrossEntropy(reshape(block(primal, x, p), [-1, D]), p.wte, tensor1d(targets, "int32")));
}

/** States to push through {@link block}, [B, T, D]. */
export const states = (name: string): Tensor => rng.fold(name).normal([B, T, D]);
