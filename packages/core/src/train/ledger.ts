import { sumSquares } from "@eitp/engine";
import { add, div, mul, scalar, sqrt, sum, type Tensor } from "@tensorflow/tfjs-core";

export type Gradients = readonly (Tensor | null)[];

/** One tensor inside this tidy for one kept outside it. */
export function taken(t: Tensor): Tensor {
  const inside = t.clone();
  t.dispose();
  return inside;
}

/** Adds `more`, whose tensors are kept and are released here, to `total`; the old sums are released at once to bound memory. */
export function accumulate(total: Gradients, more: Gradients): Gradients {
  return total.map((t, i) => {
    const m = more[i] ?? null;
    if (m === null) return t;
    const inside = taken(m);
    if (t === null) return inside;
    const both = add(t, inside);
    t.dispose();
    inside.dispose();
    return both;
  });
}

/** Σ over all entries, null = 0; rank 0. Rows first: a float32 running sum (wasm) over 2²⁴ like squares stops growing. */
export function dot(a: Gradients, b: Gradients): Tensor {
  if (a === b) return sumSquares(a.filter((x) => x !== null));
  const products = a.flatMap((x, i) => {
    const y = b[i] ?? null;
    return x === null || y === null ? [] : [total(mul(x, y))];
  });
  return products.reduce((p, q) => add(p, q), scalar(0));
}

const total = (x: Tensor): Tensor => sum(x.rank >= 2 ? sum(x, -1) : x);

/** Gradient of one weighted loss. */
export interface LedgerEntry {
  readonly key: string;
  readonly ms: number;
  readonly gradients: Gradients;
}

/** Norm of each entry's gradient, and its cosine with the reference's; rank 0. NaN where a gradient is zero: it has no direction. */
export function ledgerOf(
  entries: readonly LedgerEntry[],
  reference: string,
): readonly { readonly key: string; readonly ms: number; readonly norm: Tensor; readonly cosine: Tensor }[] {
  const base = entries.find((e) => e.key === reference);
  const baseNorm = base === undefined ? scalar(Number.NaN) : sqrt(dot(base.gradients, base.gradients));
  return entries.map(({ key, ms, gradients }) => {
    const norm = sqrt(dot(gradients, gradients));
    const along = base === undefined ? scalar(Number.NaN) : dot(gradients, base.gradients);
    return { key, ms, norm, cosine: div(along, mul(norm, baseNorm)) };
  });
}
