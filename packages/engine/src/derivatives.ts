import { add, engine, mul, sum, type Tensor, tidy, zerosLike } from "@tensorflow/tfjs-core";
import { EitpError } from "./error.ts";
import { composed } from "./fused/kernels.ts";

/** Parameters by name, as models of `@eitp/gpt` keep them. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/**
 * Value and gradient of a scalar function of named parameters; the gradient is zero where `f` does not use one. The caller disposes both.
 * @example
 * ```ts
 * import { mul, scalar } from "@tensorflow/tfjs-core";
 * import { useBackend, valueAndGrad } from "@eitp/engine";
 * await useBackend("cpu");
 * const { value, grads } = valueAndGrad(({ x }) => mul(x, x), { x: scalar(3) }); // 9 and 6
 * ```
 */
export function valueAndGrad<P extends NamedTensors>(
  f: (params: P) => Tensor,
  params: P,
): { readonly value: Tensor; readonly grads: { readonly [K in keyof P]: Tensor } } {
  const names = Object.keys(params);
  return tidy(() => {
    const { value, grads } = engine().gradients(() => scalarOf(f(params)), Object.values(params), undefined, true);
    return { value, grads: record<P>(names, filled(grads, Object.values(params))) };
  });
}

/**
 * Hessian–vector product H·v of a scalar function of named parameters, by differentiating ⟨∇f, v⟩: exact, for about the price of four
 * gradients and both tapes in memory. Needs `repairAutodiff` (done by `useBackend`).
 * @param v a direction, the same names and shapes as `params`
 */
export function hvp<P extends NamedTensors>(f: (params: P) => Tensor, params: P, v: P): { readonly [K in keyof P]: Tensor } {
  const [names, xs] = [Object.keys(params), Object.values(params)];
  return tidy(() => {
    // Composed: fused kernels have no second derivative.
    const along = (): Tensor => {
      const { grads } = composed(() => engine().gradients(() => scalarOf(f(params)), xs, undefined, true));
      return filled(grads, xs)
        .map((g, i) => sum(mul(g, v[names[i] as string] as Tensor)))
        .reduce((a, b) => add(a, b));
    };
    const { grads } = engine().gradients(along, xs, undefined, true);
    return record<P>(names, filled(grads, xs));
  });
}

function scalarOf(y: Tensor): Tensor {
  if (y.rank !== 0) throw new EitpError("usage", `a gradient is taken of a scalar; the function returned [${y.shape}]. Sum or average it.`);
  return y;
}

/** tfjs leaves a hole where nothing depends on x. */
function filled(grads: readonly (Tensor | undefined)[], xs: readonly Tensor[]): Tensor[] {
  return xs.map((x, i) => grads[i] ?? zerosLike(x));
}

function record<P>(names: readonly string[], tensors: readonly Tensor[]): { readonly [K in keyof P]: Tensor } {
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as { readonly [K in keyof P]: Tensor };
}
