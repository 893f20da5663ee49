import { pad, slice, type Tensor, zerosLike } from "@tensorflow/tfjs-core";

/** y_t = x_{t−1}, zeros at t = 0; [B, T, D]. */
export function shift(x: Tensor): Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number];
  if (tokens === 1) return zerosLike(x);
  return pad(slice(x, [0, 0, 0], [batch, tokens - 1, width]), [
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
}
