import { add, mul, type Tensor } from "@tensorflow/tfjs-core";
import { attention, attentionProbabilities } from "./attention.ts";
import { gelu } from "./gelu.ts";
import { layerNorm } from "./layer-norm.ts";
import { linear } from "./linear.ts";
import { shift } from "./shift.ts";
import type { Ops } from "./types.ts";

/** The operations over plain tensors: what training uses. First and second derivatives are right once `repairAutodiff` has run. */
export const primal: Ops<Tensor> = Object.freeze({
  constant: (x: Tensor) => x,
  value: (x: Tensor) => x,
  add: (a: Tensor, b: Tensor) => add(a, b),
  scale: (x: Tensor, factor: number) => mul(x, factor),
  gate: (x: Tensor, factor: Tensor) => mul(x, factor),
  linear,
  layerNorm,
  gelu,
  attention,
  attentionProbabilities,
  shift,
});
