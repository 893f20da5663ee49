import { broadcast_util, util } from "@tensorflow/tfjs-core";

/** How two operands meet: the result's shape, and its axes merged as far as both operands' strides allow. Stride 0 repeats. */
export interface Meeting {
  readonly shape: number[];
  readonly dims: readonly number[];
  readonly stridesA: readonly number[];
  readonly stridesB: readonly number[];
}

export function meet(a: readonly number[], b: readonly number[]): Meeting {
  if (util.arraysEqual(a as number[], b as number[])) {
    const size = util.sizeFromShape(a as number[]);
    return { shape: a as number[], dims: [size], stridesA: [1], stridesB: [1] };
  }
  const shape = broadcast_util.assertAndGetBroadcastShape(a as number[], b as number[]);
  const [strideA, strideB] = [stridesIn(a, shape.length), stridesIn(b, shape.length)];
  const dims: number[] = [];
  const stridesA: number[] = [];
  const stridesB: number[] = [];
  shape.forEach((dim, axis) => {
    if (dim === 1) return;
    const [sa, sb] = [strideA[axis] as number, strideB[axis] as number];
    const last = dims.length - 1;
    if (last >= 0 && stridesA[last] === sa * dim && stridesB[last] === sb * dim) {
      dims[last] = (dims[last] as number) * dim;
      stridesA[last] = sa;
      stridesB[last] = sb;
    } else {
      dims.push(dim);
      stridesA.push(sa);
      stridesB.push(sb);
    }
  });
  return { shape, dims, stridesA, stridesB };
}

/** Strides of a shape aligned to the right of `rank` axes; 0 where it has size 1 or no axis. */
export function stridesIn(shape: readonly number[], rank: number): number[] {
  const out = new Array<number>(rank).fill(0);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const dim = shape[i] as number;
    if (dim !== 1) out[rank - shape.length + i] = stride;
    stride *= dim;
  }
  return out;
}
