import { add, customGrad, type GradSaveFunc, mean, mul, reshape, rsqrt, square, sub, sum, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { isFused } from "../fused/kernels.ts";
import { run } from "../fused/run.ts";
import { requireShape } from "./fits.ts";

/**
 * y = n·w + b with n = (x − mean)·r, r = 1/√(var + ε), over the last axis [.., D]; w and b are [D].
 * The backward recomputes n from saved inputs in ordinary operations, so it can be differentiated again.
 * @see Ba, Kiros, Hinton, "Layer Normalization", 2016, §3
 */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const width = x.shape[x.rank - 1] as number;
  requireShape("layerNorm", "a weight", weight, [width]);
  requireShape("layerNorm", "a bias", bias, [width]);
  if (!isFused("EitLayerNorm")) return norm(epsilon)(x, weight, bias);
  const rows = x.rank === 2 ? x : reshape(x, [x.size / width, width]);
  return reshape(run("EitLayerNorm", { x: rows, w: weight, b: bias }, { epsilon })[0] as Tensor, x.shape);
}

const norm = (epsilon: number): ((x: Tensor, weight: Tensor, bias: Tensor) => Tensor) =>
  customGrad((...args) => {
    const [x, weight, bias, save] = args as unknown as [Tensor, Tensor, Tensor, GradSaveFunc];
    save([x, weight]);
    return {
      value: add(mul(normalised(x, epsilon).n, weight), bias),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x0, w0] = saved as [Tensor, Tensor];
        // In a tidy of its own: what a gradient function makes otherwise lives until the whole backward ends.
        const [dx, dw, db] = tidy(() => {
          const { n, r } = normalised(x0, epsilon);
          const g = mul(dy, w0);
          const rows = Array.from({ length: x0.rank - 1 }, (_, axis) => axis);
          return [center(g, n, r), sum(mul(dy, n), rows), sum(dy, rows)] as [Tensor, Tensor, Tensor];
        });
        return [dx, dw, db];
      },
    };
  });

/** The tangent of {@link layerNorm} along ẋ: ẏ = ṅ·w, ṅ = r·(ċ − n·mean(n·ċ)), ċ = ẋ − mean ẋ. Ordinary operations throughout. */
export function layerNormTangent(x: Tensor, tangent: Tensor, weight: Tensor, epsilon: number): Tensor {
  const { n, r } = normalised(x, epsilon);
  return mul(center(tangent, n, r), weight);
}

/** r·(g − mean g − n·mean(n·g)): the Jacobian of n, which is symmetric and so serves both directions. */
function center(g: Tensor, n: Tensor, r: Tensor): Tensor {
  return mul(sub(sub(g, mean(g, -1, true)), mul(n, mean(mul(n, g), -1, true))), r);
}

function normalised(x: Tensor, epsilon: number): { readonly n: Tensor; readonly r: Tensor } {
  const centered = sub(x, mean(x, -1, true));
  const r = rsqrt(add(mean(square(centered), -1, true), epsilon));
  return { n: mul(centered, r), r };
}
