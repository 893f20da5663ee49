import { matMul, ones, reshape, sum, type Tensor, tensor1d, tensor2d, tile, zeros } from "@tensorflow/tfjs-core";
import { valueAndGrad } from "../derivatives.ts";
import { adamWStep } from "../ops/adam-w-step.ts";
import { headCrossEntropy } from "../ops/head-cross-entropy.ts";
import { primal } from "../ops/primal.ts";
import type { ConformanceCheck } from "./check.ts";
import { evaluate, wrong } from "./compare.ts";

/** Operations on rows [2, 5]; the second row is clean. */
const operations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  linear: (x) => primal.linear(x, ones([5, 3]), ones([3])),
  "linear, transposed": (x) => primal.linear(x, ones([3, 5]), null, true),
  matMul: (x) => matMul(x, ones([5, 9])),
  "matMul, transposed": (x) => matMul(x, ones([2, 3]), true, false),
  layerNorm: (x) => primal.layerNorm(x, ones([5]), zeros([5]), 1e-5),
  gelu: (x) => primal.gelu(x),
  attention: (x) => primal.attention(reshape(tile(x, [1, 3]), [1, 2, 15]), { heads: 1, positions: "none", logN: null }),
  "attention, alibi": (x) => primal.attention(reshape(tile(x, [1, 3]), [1, 2, 15]), { heads: 5, positions: "alibi", logN: 4 }),
  headCrossEntropy: (x) => headCrossEntropy(x, ones([7, 5]), tensor1d([0, 1], "int32")),
  sum: (x) => sum(x),
  "sum of rows": (x) => sum(x, 0),
  adamWStep: (x) => adamWStep(ones([2, 5]), x, zeros([2, 5]), zeros([2, 5]), constants).parameter,
};
const constants = { beta1: 0.9, beta2: 0.95, scale: 0.01, epsilon: 1e-8, root: 0, keep: 1 };
const withoutGradient = new Set(["adamWStep", "sum", "sum of rows", "linear", "linear, transposed", "matMul", "matMul, transposed"]);

/** NaN in any place of a row shows in the result, and in the gradient of whatever depends on it non-linearly. */
export const nanChecks: readonly ConformanceCheck[] = Object.entries(operations).map(([name, f]) => ({
  name: `NaN passes through ${name}`,
  check: async () => {
    for (const place of [0, 2, 4]) {
      const row = Array.from({ length: 5 }, (_, i) => (i === place ? Number.NaN : i));
      const input = (): Tensor => tensor2d([row, [1, 2, 3, 4, 5]]);
      const made = await evaluate(() => ({
        value: f(input()),
        ...(withoutGradient.has(name) ? {} : { gradient: valueAndGrad(({ x }) => sum(f(x)), { x: input() }).grads.x }),
      }));
      for (const [key, { data }] of made)
        if (!data.some(Number.isNaN)) throw wrong(`NaN at ${place} of the first row vanished in the ${key} of ${name}`);
    }
  },
}));
