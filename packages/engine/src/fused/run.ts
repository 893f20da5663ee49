import {
  engine,
  getGradient,
  matMul,
  mul,
  type NamedAttrMap,
  type NamedTensorMap,
  registerGradient,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { type FusedKernel, isFused } from "./kernels.ts";

/** Calls a fused kernel on the tape. */
export function run(kernel: FusedKernel, inputs: { readonly [name: string]: Tensor }, attrs: NamedAttrMap = {}): readonly Tensor[] {
  const out: unknown = engine().runKernel(kernel, inputs as unknown as NamedTensorMap, attrs);
  return Array.isArray(out) ? (out as Tensor[]) : [out as Tensor];
}
const first = (outputs: readonly Tensor[]): Tensor => outputs[0] as Tensor;

/**
 * Registers the first derivatives of the fused kernels. A backward kernel runs in the gradient function's body, not in its per-input lambdas:
 * each lambda runs in a tidy of its own, which would release the outputs that its siblings share. Idempotent.
 */
export function registerFusedGradients(): void {
  if (getGradient("EitLinear") !== undefined) return;
  registerGradient({
    kernelName: "EitLinear",
    inputsToSave: ["x", "w"],
    gradFunc: (dy, saved, attrs) => {
      const [x, w] = saved as [Tensor, Tensor];
      const transposed = attrs["transposed"] === true;
      const d = dy as Tensor;
      if (isFused("EitLinearGrad")) {
        const [dx, dw, db] = run("EitLinearGrad", { dy: d, x, w }, { transposed }) as readonly [Tensor, Tensor, Tensor];
        return { x: () => dx, w: () => dw, b: () => db };
      }
      return {
        x: () => matMul(d, w, false, !transposed),
        w: () => (transposed ? matMul(d, x, true, false) : matMul(x, d, true, false)),
        b: () => first(run("EitColumnSum", { x: d })),
      };
    },
  });
  registerGradient({
    kernelName: "EitLayerNorm",
    inputsToSave: ["x", "w"],
    outputsToSave: [false, true, true],
    gradFunc: (dys, saved) => {
      const [x, w, mean, r] = saved as [Tensor, Tensor, Tensor, Tensor];
      const dy = first(dys as unknown as readonly Tensor[]);
      const [dx, dw, db] = run("EitLayerNormGrad", { dy, x, w, mean, r }) as readonly [Tensor, Tensor, Tensor];
      return { x: () => dx, w: () => dw, b: () => db };
    },
  });
  registerGradient({
    kernelName: "EitGelu",
    inputsToSave: ["x"],
    gradFunc: (dy, saved) => ({ x: () => first(run("EitGeluGrad", { dy: dy as Tensor, x: saved[0] as Tensor })) }),
  });
  registerGradient({
    kernelName: "EitAttention",
    inputsToSave: ["qkv"],
    outputsToSave: [true, true],
    gradFunc: (dys, saved, attrs) => {
      // tfjs cannot save an input that may be absent: where there is a mask, `attention` brings its own gradient.
      const [qkv, y, lse] = saved as [Tensor, Tensor, Tensor];
      const dqkv = first(run("EitAttentionGrad", { dy: first(dys as unknown as readonly Tensor[]), y, qkv, lse }, attrs));
      return { qkv: () => dqkv };
    },
  });
  registerGradient({
    kernelName: "EitHeadLoss",
    inputsToSave: ["h", "w", "targets"],
    outputsToSave: [false, true, true],
    gradFunc: (dys, saved) => {
      const [h, w, targets, lse, kept] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor];
      const dy = first(dys as unknown as readonly Tensor[]);
      const [dh, dw] = run("EitHeadLossGrad", { dy, h, w, targets, lse, kept }) as readonly [Tensor, Tensor];
      return { h: () => dh, w: () => dw };
    },
  });
  registerGradient({
    kernelName: "EitSumSquares",
    saveAllInputs: true,
    gradFunc: (dy, saved) => Object.fromEntries(saved.map((x, i) => [i, () => mul(x, mul(dy as Tensor, 2))])),
  });
}
