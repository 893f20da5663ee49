import { add, customGrad, type GradSaveFunc, mul, sigmoid, square, sub, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { isFused } from "../fused/kernels.ts";
import { run } from "../fused/run.ts";

/** 2·√(2/π) and the cubic coefficient of Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, §2. */
const slope = 2 * Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/**
 * tanh form of GELU, "gelu_new": ½x(1 + tanh u) with u = √(2/π)(x + 0.044715x³). Written x·σ(2u), the same function: one sigmoid instead of
 * a tanh and two passes around it. Saves its input only, so second derivatives hold.
 */
export function gelu(x: Tensor): Tensor {
  return isFused("EitGelu") ? (run("EitGelu", { x })[0] as Tensor) : geluWithGradient(x);
}

const geluWithGradient = customGrad((...args) => {
  const [x, save] = args as unknown as [Tensor, GradSaveFunc];
  save([x]);
  return {
    value: mul(x, sigmoid(argument(x, square(x)))),
    gradFunc: (dy: Tensor, saved: Tensor[]) => tidy(() => mul(dy, geluDerivative(saved[0] as Tensor))),
  };
});

/** d gelu/dx = s + x·s(1 − s)·z′ with s = σ(z), z = 2u, z′ = 2√(2/π)(1 + 3·0.044715x²). Ordinary operations. */
export function geluDerivative(x: Tensor): Tensor {
  const x2 = square(x);
  const s = sigmoid(argument(x, x2));
  const dz = add(mul(x2, 3 * cubic * slope), slope);
  return mul(s, add(mul(mul(x, sub(1, s)), dz), 1));
}

const argument = (x: Tensor, x2: Tensor): Tensor => mul(x, add(mul(x2, cubic * slope), slope));
