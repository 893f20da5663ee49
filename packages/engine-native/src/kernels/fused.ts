import { keptLogitsBytes } from "@eitp/engine";
import { EitpError } from "@eitp/engine/error";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../backend.ts";
import { type Call, define } from "./define.ts";
import { matMul } from "./mat-mul.ts";

type T = TensorInfo;
interface AttentionAttributes {
  readonly heads: number;
  readonly positions: string;
  readonly logN: number;
}
interface AdamWAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly scale: number;
  readonly epsilon: number;
  readonly root: number;
  readonly keep: number;
}

/** The kernels of `FusedKernel` in @eitp/engine, whose table says what each takes and gives. */
export function registerFused(): void {
  define<{ x: T; w: T; b?: T }, { transposed: boolean }>("EitLinear", ({ inputs: { x, w, b }, attrs, backend }) =>
    matMul(backend, x, w, { transposeA: false, transposeB: attrs.transposed }, b),
  );
  define<{ dy: T; x: T; w: T }, { transposed: boolean }, T[]>("EitLinearGrad", linearGrad);
  define<{ x: T }>("EitColumnSum", ({ inputs: { x }, backend }) => columnSum(backend, x));
  define<{ x: T; w: T; b: T }, { epsilon: number }, T[]>("EitLayerNorm", ({ inputs: { x, w, b }, attrs: { epsilon }, backend }) => {
    const [rows, width] = x.shape as [number, number];
    const out = [backend.output(x.shape, "float32"), backend.output([rows], "float32"), backend.output([rows], "float32")];
    const at = (t: T): number => backend.address(t);
    backend.call(backend.numberOf("layerNorm"), rows, width, at(x), at(w), at(b), epsilon, ...out.map(at));
    return out;
  });
  define<{ dy: T; x: T; w: T; mean: T; r: T }, object, T[]>("EitLayerNormGrad", ({ inputs: { dy, x, w, mean, r }, backend }) => {
    const [rows, width] = x.shape as [number, number];
    const out = [backend.output(x.shape, "float32"), backend.output([width], "float32"), backend.output([width], "float32")];
    const addresses = [dy, x, w, mean, r, ...out].map((t) => backend.address(t));
    backend.call(backend.numberOf("layerNormGrad"), rows, width, ...addresses);
    return out;
  });
  define<{ x: T }>("EitGelu", ({ inputs: { x }, backend }) => {
    const y = backend.output(x.shape, "float32");
    backend.call(backend.numberOf("gelu"), util.sizeFromShape(x.shape), backend.address(x), backend.address(y));
    return y;
  });
  define<{ dy: T; x: T }>("EitGeluGrad", ({ inputs: { dy, x }, backend }) => {
    const dx = backend.output(x.shape, "float32");
    backend.call(backend.numberOf("geluGrad"), util.sizeFromShape(x.shape), backend.address(dy), backend.address(x), backend.address(dx));
    return dx;
  });
  define<{ qkv: T; mask?: T }, AttentionAttributes, T[]>("EitAttention", ({ inputs: { qkv, mask }, attrs, backend }) => {
    const [B, tokens, packed] = qkv.shape as [number, number, number];
    const y = backend.output([B, tokens, packed / 3], "float32");
    const lse = backend.output([B, attrs.heads, tokens], "float32");
    backend.call(
      backend.numberOf("attention"),
      ...heads(qkv, attrs),
      backend.address(qkv),
      mask === undefined ? 0 : backend.address(mask),
      backend.address(y),
      backend.address(lse),
    );
    return [y, lse];
  });
  define<{ dy: T; y: T; qkv: T; lse: T; mask?: T }, AttentionAttributes>(
    "EitAttentionGrad",
    ({ inputs: { dy, y, qkv, lse, mask }, attrs, backend }) => {
      const dqkv = backend.output(qkv.shape, "float32");
      const at = (t: T): number => backend.address(t);
      const masked = mask === undefined ? 0 : at(mask);
      backend.call(backend.numberOf("attentionGrad"), ...heads(qkv, attrs), at(qkv), masked, at(dy), at(y), at(lse), at(dqkv));
      return dqkv;
    },
  );
  define<{ h: T; w: T; targets: T }, object, T[]>("EitHeadLoss", headLoss);
  define<{ dy: T; h: T; w: T; targets: T; lse: T; kept: T }, object, T[]>("EitHeadLossGrad", headLossGrad);
  define<T[]>("EitSumSquares", ({ inputs, backend }) => {
    const parts = backend.output([inputs.length], "float32");
    const out = backend.output([], "float32");
    const at = backend.address(parts);
    for (const [i, x] of inputs.entries())
      backend.call(backend.numberOf("sumSquares"), util.sizeFromShape(x.shape), backend.address(x), at + 4 * i);
    backend.call(backend.numberOf("reduce"), 0, 1, inputs.length, 1, at, backend.address(out));
    backend.disposeData(parts.dataId);
    return out;
  });
  define<{ p: T; g: T; m: T; v: T }, AdamWAttributes, T[]>("EitAdamW", ({ inputs: { p, g, m, v }, attrs, backend }) => {
    const out = [p, m, v].map(({ shape }) => backend.output(shape, "float32"));
    const at = (t: T): number => backend.address(t);
    const { beta1, beta2, scale, epsilon, root, keep } = attrs;
    const constants = [beta1, beta2, scale, epsilon, root, keep];
    backend.call(backend.numberOf("adamW"), util.sizeFromShape(p.shape), at(p), at(g), at(m), at(v), ...constants, ...out.map(at));
    return out;
  });
}

function linearGrad({ inputs: { dy, x, w }, attrs: { transposed }, backend }: Call<{ dy: T; x: T; w: T }, { transposed: boolean }>): T[] {
  const dx = matMul(backend, dy, w, { transposeA: false, transposeB: !transposed });
  const [left, right] = transposed ? [dy, x] : [x, dy];
  return [dx, matMul(backend, left, right, { transposeA: true, transposeB: false }), columnSum(backend, dy)];
}

function columnSum(backend: NativeBackend, x: T): T {
  const [rows, columns] = x.shape as [number, number];
  const out = backend.output([columns], "float32");
  backend.call(backend.numberOf("columnSum"), rows, columns, backend.address(x), backend.address(out));
  return out;
}

/** B, T, H, d, kind of positions, logN. */
function heads(qkv: T, { heads, positions, logN }: AttentionAttributes): number[] {
  const [B, tokens, packed] = qkv.shape as [number, number, number];
  const size = packed / 3 / heads;
  if (!Number.isInteger(size) || (positions === "rotary" && size % 2 !== 0))
    throw new EitpError(
      "usage",
      `attention: ${heads} heads do not divide [${qkv.shape}] into parts of equal${positions === "rotary" ? ", even" : ""} size`,
    );
  return [B, tokens, heads, size, positions === "rotary" ? 1 : positions === "alibi" ? 2 : 0, logN];
}

function headLoss({ inputs: { h, w, targets }, backend }: Call<{ h: T; w: T; targets: T }>): T[] {
  const [rows, width] = h.shape as [number, number];
  const vocabulary = w.shape[0] as number;
  const keep = rows * vocabulary * 4 <= keptLogitsBytes;
  const kept = backend.output(keep ? [rows, vocabulary] : [0], "float32");
  const out = [backend.output([rows], "float32"), backend.output([rows], "float32"), kept];
  const at = (t: T): number => backend.address(t);
  const [nll, lse] = out as [T, T];
  const number = backend.numberOf("headLoss");
  const bad = backend.call(number, rows, width, vocabulary, at(h), at(w), at(targets), at(nll), at(lse), keep ? at(kept) : 0);
  if (bad > 0) {
    for (const t of out) backend.disposeData(t.dataId);
    throw new EitpError(
      "data",
      `headCrossEntropy: target ${bad - 1} is outside −1 … ${vocabulary - 1}. Check tokenizer and vocabulary size.`,
    );
  }
  return out;
}

type HeadGradInputs = { dy: T; h: T; w: T; targets: T; lse: T; kept: T };
function headLossGrad({ inputs: { dy, h, w, targets, lse, kept }, backend }: Call<HeadGradInputs>): T[] {
  const [rows, width] = h.shape as [number, number];
  const vocabulary = w.shape[0] as number;
  const out = [backend.output(h.shape, "float32"), backend.output(w.shape, "float32")];
  const at = (t: T): number => backend.address(t);
  const keptAt = kept.shape.length === 2 && rows > 0 ? at(kept) : 0;
  const number = backend.numberOf("headLossGrad");
  backend.call(number, rows, width, vocabulary, at(dy), at(h), at(w), at(targets), at(lse), keptAt, ...out.map(at));
  return out;
}
