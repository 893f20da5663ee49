import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { type Counter, counter } from "./random.ts";

/** A {@link Counter} that also fills tensors; conforms to `Rng` of `@eitp/core/spec`. */
export interface TensorRng extends Counter {
  fold(purpose: string | number): TensorRng;
  normal(shape: readonly number[]): Tensor;
  mask(shape: readonly number[], keep: number): Tensor;
}

/** The root generator of a run; everything random folds its purpose in. `seed` is an integer from 0 to 2⁵³ − 1. */
export function counterRng(seed: number): TensorRng {
  return withTensors(counter(seed));
}

function withTensors(source: Counter): TensorRng {
  const fill = (shape: readonly number[], f: (i: number) => number): Tensor => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) values[i] = f(i);
    return tensor(values, [...shape]);
  };
  return {
    ...source,
    fold: (purpose) => withTensors(source.fold(purpose)),
    normal: (shape) => fill(shape, (i) => source.gaussian(i)),
    mask: (shape, keep) => fill(shape, (i) => (source.uniform(i) < keep ? 1 / keep : 0)),
  };
}
