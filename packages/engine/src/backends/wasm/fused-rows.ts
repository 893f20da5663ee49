import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { AdamWConstants } from "../../ops/adam-w-step.ts";
import { addKernel, addressOf } from "./heap.ts";
import { kernelsOf } from "./kernel-module.ts";
import { withScratch } from "./scratch.ts";

/** The fused kernels that work row by row or entry by entry; inputs and outputs as `FusedKernel` documents. */
export function addRowKernels(): void {
  addKernel<{ x: TensorInfo; w: TensorInfo; b?: TensorInfo }, { transposed: boolean }>("EitLinear", ({ inputs, attrs, backend }) => {
    const { x, w, b } = inputs;
    const [n, from] = x.shape as [number, number];
    const to = w.shape[attrs.transposed ? 0 : 1] as number;
    const y = backend.makeOutput([n, to], "float32");
    const { gemm, gemmScratch } = kernelsOf(backend);
    const [row, column] = attrs.transposed ? [1, from] : [to, 1];
    const at = (t: TensorInfo): number => addressOf(backend, t);
    withScratch(backend, gemmScratch(n, to, from), (scratch) =>
      gemm(n, to, from, at(x), from, 1, at(w), row, column, at(y), to, false, b === undefined ? 0 : at(b), scratch),
    );
    return y;
  });

  addKernel<{ x: TensorInfo }, object>("EitColumnSum", ({ inputs: { x }, backend }) => {
    const [n, d] = x.shape as [number, number];
    const sums = backend.makeOutput([d], "float32");
    kernelsOf(backend).columnSum(n, d, addressOf(backend, x), addressOf(backend, sums));
    return sums;
  });

  type NormInputs = { x: TensorInfo; w: TensorInfo; b: TensorInfo };
  addKernel<NormInputs, { epsilon: number }, TensorInfo[]>("EitLayerNorm", ({ inputs: { x, w, b }, attrs, backend }) => {
    const [n, d] = x.shape as [number, number];
    const out = [x.shape, [n], [n]].map((shape) => backend.makeOutput(shape, "float32"));
    const [px, pw, pb, y, mean, r] = [x, w, b, ...out].map((t) => addressOf(backend, t)) as Six;
    kernelsOf(backend).layerNorm(n, d, px, pw, pb, y, mean, r, attrs.epsilon);
    return out;
  });

  type NormGradInputs = { dy: TensorInfo; x: TensorInfo; w: TensorInfo; mean: TensorInfo; r: TensorInfo };
  addKernel<NormGradInputs, object, TensorInfo[]>("EitLayerNormGrad", ({ inputs: { dy, x, w, mean, r }, backend }) => {
    const [n, d] = x.shape as [number, number];
    const out = [x.shape, [d], [d]].map((shape) => backend.makeOutput(shape, "float32"));
    const [g, px, pw, pm, pr, dx, dw, db] = [dy, x, w, mean, r, ...out].map((t) => addressOf(backend, t)) as [...Six, number, number];
    kernelsOf(backend).layerNormGrad(n, d, g, px, pw, pm, pr, dx, dw, db);
    return out;
  });

  addKernel<{ x: TensorInfo }, object>("EitGelu", ({ inputs: { x }, backend }) => {
    const y = backend.makeOutput(x.shape, "float32");
    kernelsOf(backend).gelu(util.sizeFromShape(x.shape), addressOf(backend, x), addressOf(backend, y));
    return y;
  });

  addKernel<{ dy: TensorInfo; x: TensorInfo }, object>("EitGeluGrad", ({ inputs: { dy, x }, backend }) => {
    const dx = backend.makeOutput(x.shape, "float32");
    kernelsOf(backend).geluGrad(util.sizeFromShape(x.shape), addressOf(backend, dy), addressOf(backend, x), addressOf(backend, dx));
    return dx;
  });

  type AdamInputs = { p: TensorInfo; g: TensorInfo; m: TensorInfo; v: TensorInfo };
  addKernel<AdamInputs, AdamWConstants, TensorInfo[]>("EitAdamW", ({ inputs: { p, g, m, v }, attrs, backend }) => {
    const { beta1, beta2, scale, epsilon, root, keep } = attrs;
    const out = [p, m, v].map(({ shape }) => backend.makeOutput(shape, "float32"));
    const [pp, pg, pm, pv, p1, m1, v1] = [p, g, m, v, ...out].map((t) => addressOf(backend, t)) as [...Six, number];
    kernelsOf(backend).adamW(util.sizeFromShape(p.shape), pp, pg, pm, pv, beta1, beta2, scale, epsilon, root, keep, p1, m1, v1);
    return out;
  });
}

type Six = [number, number, number, number, number, number];
