import {
  add,
  cast,
  concat,
  customGrad,
  type GradSaveFunc,
  greaterEqual,
  log,
  matMul,
  max,
  maximum,
  mul,
  reshape,
  scalar,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { EitpError } from "../error.ts";
import { isFused } from "../fused/kernels.ts";
import { run } from "../fused/run.ts";
import { embedding } from "./embedding.ts";

// Letters: N rows (tokens), D width, V vocabulary.

/**
 * Cross-entropy of a linear head without ever holding [N, V] beyond the budget: −ln softmax(h·Wᵀ)[target], nats, [N]; 0 where the target is −1.
 * Above the budget, rows are processed in chunks, and the backward recomputes each chunk's logits from the saved inputs. No one-hot is built:
 * the picked logit is the product with the target's row of W, whose gradient goes through the embedding.
 * @param hidden normed states, [N, D]
 * @param weight head, [V, D] (the tied embedding)
 * @param targets int32 [N], −1 where a row does not count
 * @param options `budgetBytes`: largest logits matrix, default 64 MiB; a fused kernel chooses its own, which is smaller
 * @throws EitpError "data" when a target is ≥ V; "usage" for wrong shapes.
 */
export function headCrossEntropy(hidden: Tensor, weight: Tensor, targets: Tensor, options: { readonly budgetBytes?: number } = {}): Tensor {
  const { budgetBytes = 64 * 2 ** 20 } = options;
  const [rows, width] = hidden.shape as [number, number];
  const vocabulary = weight.shape[0] as number;
  if (targets.dtype !== "int32")
    throw new EitpError("usage", `headCrossEntropy expects int32 targets; got ${targets.dtype} [${targets.shape}]`);
  if (hidden.rank !== 2 || weight.rank !== 2 || weight.shape[1] !== width || targets.rank !== 1 || targets.shape[0] !== rows)
    throw new EitpError(
      "usage",
      `headCrossEntropy expects hidden [N, D], weight [V, D], targets [N]; got [${hidden.shape}], [${weight.shape}], [${targets.shape}]`,
    );
  if (isFused("EitHeadLoss")) return run("EitHeadLoss", { h: hidden, w: weight, targets })[0] as Tensor;
  const chunk = Math.max(1, Math.floor(budgetBytes / (4 * vocabulary)));
  const counted = cast(greaterEqual(targets, 0), "float32");
  const picked = sum(mul(hidden, embedding(weight, maximum(targets, scalar(0, "int32")))), -1);
  const total = rows <= chunk ? logSumExp(matMul(hidden, weight, false, true)) : chunkedLogSumExp(chunk)(hidden, weight);
  return mul(sub(total, picked), counted);
}

/** ln Σ exp over the last axis, [N, V] → [N]. tfjs' own goes through `max`, whose derivative has no derivative. */
const logSumExp = customGrad((...args) => {
  const [logits, save] = args as unknown as [Tensor, GradSaveFunc];
  save([logits]);
  return {
    value: logSumExpValue(logits),
    gradFunc: (dy: Tensor, saved: Tensor[]) => tidy(() => mul(softmax(saved[0] as Tensor), reshape(dy, [-1, 1]))),
  };
});

/** max x − ln max softmax(x): the largest probability is 1/Σ exp(x − max). Softmax is vectorised on every backend, exp alone is not. */
function logSumExpValue(logits: Tensor): Tensor {
  return sub(max(logits, -1), log(max(softmax(logits), -1)));
}

/** ln Σ exp(h·Wᵀ) over V, `chunk` rows at a time, forward and backward. */
const chunkedLogSumExp = (chunk: number): ((hidden: Tensor, weight: Tensor) => Tensor) =>
  customGrad((...args) => {
    const [hidden, weight, save] = args as unknown as [Tensor, Tensor, GradSaveFunc];
    save([hidden, weight]);
    const value = tidy(() => concat(chunks(hidden, chunk).map((h) => tidy(() => logSumExpValue(matMul(h(), weight, false, true))))));
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [h0, w0] = saved as [Tensor, Tensor];
        return tidy(() => chunkedGradient(dy, h0, w0, chunk));
      },
    };
  });

/** With P = softmax(h·Wᵀ)·dy: dh = P·W, dW = Σ Pᵀ·h over the chunks. */
function chunkedGradient(dy: Tensor, hidden: Tensor, weight: Tensor, chunk: number): [Tensor, Tensor] {
  const scales = chunks(dy, chunk);
  const parts: Tensor[] = [];
  let dWeight: Tensor | undefined;
  for (const [i, rows] of chunks(hidden, chunk).entries()) {
    const [dh, dw] = tidy(() => {
      const h = rows();
      const p = mul(softmax(matMul(h, weight, false, true)), reshape((scales[i] as () => Tensor)(), [-1, 1]));
      const own = matMul(p, h, true, false);
      return [matMul(p, weight), dWeight === undefined ? own : add(dWeight, own)] as [Tensor, Tensor];
    });
    dWeight?.dispose();
    dWeight = dw;
    parts.push(dh);
  }
  return [concat(parts), dWeight as Tensor];
}

/** Slices of `chunk` rows, made when asked for. */
function chunks(x: Tensor, chunk: number): (() => Tensor)[] {
  const rows = x.shape[0] as number;
  const rest = x.shape.slice(1);
  return Array.from({ length: Math.ceil(rows / chunk) }, (_, i) => {
    const from = i * chunk;
    return () => slice(x, [from, ...rest.map(() => 0)], [Math.min(chunk, rows - from), ...rest]);
  });
}
