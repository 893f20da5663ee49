import type { Series } from "../../metrics/read.ts";

/** Window of the mean for a series this long, in records, odd; 1 means none. A fortieth of the run keeps the shape of its curve. */
export function windowFor(length: number): number {
  return length < 80 ? 1 : 2 * Math.round(length / 80) + 1;
}

/**
 * Centred moving mean: of each value with (window − 1)/2 on each side, so that it does not lag behind a falling loss as an exponential
 * average would. Towards the ends both sides shrink alike, to half; the outermost values take what there is. Non-finite values stay gaps
 * and do not enter any mean.
 */
export function smooth({ steps, values }: Series, window: number): Series {
  const half = (window - 1) / 2;
  const sums = [0];
  const counts = [0];
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (Number.isFinite(value)) {
      sum += value;
      count += 1;
    }
    sums.push(sum);
    counts.push(count);
  }
  const between = (list: readonly number[], from: number, to: number): number => (list[to] ?? 0) - (list[from] ?? 0);
  const means = values.map((value, i) => {
    if (!Number.isFinite(value)) return value;
    const reach = Math.min(half, Math.max(half >> 1, Math.min(i, values.length - 1 - i)));
    const [from, to] = [Math.max(0, i - reach), Math.min(values.length, i + reach + 1)];
    return between(sums, from, to) / between(counts, from, to);
  });
  return { steps, values: means };
}
