/** Attention in plain float64 loops, straight from the definitions: the oracle of the tensor code. */
import type { AttentionOptions } from "../src/index.ts";

interface Shape {
  readonly batch: number;
  readonly tokens: number;
  readonly width: number;
}

/** Probabilities [B, H, T, T] before dropout, and output [B, T, D], of packed [B, T, 3D]. */
export function attentionReference(
  qkv: ArrayLike<number>,
  { batch, tokens, width }: Shape,
  options: Omit<AttentionOptions, "dropout">,
  dropout?: ArrayLike<number>,
): { readonly probabilities: number[]; readonly out: number[] } {
  const { heads, positions, logN } = options;
  const size = width / heads;
  const part = (b: number, t: number, which: number, h: number): number[] => {
    const row = Array.from({ length: size }, (_, i) => qkv[(b * tokens + t) * 3 * width + which * width + h * size + i] as number);
    return positions === "rotary" && which < 2 ? rotate(row, t) : row;
  };
  const probabilities: number[] = new Array(batch * heads * tokens * tokens).fill(0);
  const out: number[] = new Array(batch * tokens * width).fill(0);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < tokens; i++) {
        const q = part(b, i, 0, h);
        const stretch = logN === null ? 1 : Math.log(i + 1) / Math.log(logN);
        const scores = Array.from({ length: i + 1 }, (_, j) => {
          const dot = part(b, j, 1, h).reduce((s, x, n) => s + x * (q[n] as number), 0);
          return (dot * stretch) / Math.sqrt(size) - (positions === "alibi" ? (slopes[heads]?.[h] as number) * (i - j) : 0);
        });
        const top = Math.max(...scores);
        const total = scores.reduce((s, x) => s + Math.exp(x - top), 0);
        for (let j = 0; j <= i; j++) {
          const p = Math.exp((scores[j] as number) - top) / total;
          const at = ((b * heads + h) * tokens + i) * tokens + j;
          probabilities[at] = p;
          const v = part(b, j, 2, h);
          for (let n = 0; n < size; n++)
            out[(b * tokens + i) * width + h * size + n] =
              (out[(b * tokens + i) * width + h * size + n] as number) + p * (dropout?.[at] ?? 1) * (v[n] as number);
        }
      }
  return { probabilities, out };
}

/** Written out, not computed: the published slopes. */
const slopes: Readonly<Record<number, readonly number[]>> = {
  1: [2 ** -8],
  2: [2 ** -4, 2 ** -8],
  3: [2 ** -4, 2 ** -8, 2 ** -2],
  4: [0.25, 0.0625, 0.015625, 0.00390625],
};

/** Pairs (i, i + d/2) turned by position·10000^(−2i/d). */
function rotate(x: readonly number[], position: number): number[] {
  const half = x.length / 2;
  return x.map((value, i) => {
    const angle = position * 10_000 ** ((-2 * (i % half)) / x.length);
    const partner = i < half ? -(x[i + half] as number) : (x[i - half] as number);
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
}
