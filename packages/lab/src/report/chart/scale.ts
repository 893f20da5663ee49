import { assert } from "@eitp/engine/error";

export type ScaleKind = "linear" | "log";
/** Maps values to [0, 1]. */
export interface Scale {
  readonly kind: ScaleKind;
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Logarithmic where everything is positive and spans more than a factor 30: there a linear axis shows only the largest values. */
export function fittingKind(min: number, max: number): ScaleKind {
  return min > 0 && max / min > 30 ? "log" : "linear";
}

/** @param count - Wanted number of ticks; up to twice as many come. */
export function linearScale(min: number, max: number, count: number): Scale {
  assert(min < max, `an axis needs min < max, got ${min} and ${max}`);
  const step = niceStep((max - min) / count);
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { kind: "linear", at: (value) => (value - min) / (max - min), ticks };
}

export function logScale(min: number, max: number, count: number): Scale {
  assert(min > 0 && min < max, `a logarithmic axis needs 0 < min < max, got ${min} and ${max}`);
  const [low, high] = [Math.log10(min), Math.log10(max)];
  return { kind: "log", at: (value) => (Math.log10(value) - low) / (high - low), ticks: logTicks(low, high, count) };
}

/** Whole decades, thinned to `count`; with 2 and 5 between them where there are few. `low` and `high` are exponents. */
function logTicks(low: number, high: number, count: number): readonly number[] {
  const decades = Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const inside = (value: number): boolean => Math.log10(value) >= low - 1e-9 && Math.log10(value) <= high + 1e-9;
  const stride = Math.ceil(decades.length / (count + 1));
  const mantissas = high - low > count / 2 ? [1] : [1, 2, 5];
  return decades
    .filter((decade) => decade % stride === 0)
    .flatMap((decade) => mantissas.map((mantissa) => Number(`${mantissa}e${decade}`)))
    .filter(inside);
}

/** 1, 2 or 5 times a power of ten: the one nearest to `wanted`, by ratio. */
function niceStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const ratio = wanted / power;
  const factor = ratio < Math.SQRT2 ? 1 : ratio < Math.sqrt(10) ? 2 : ratio < Math.sqrt(50) ? 5 : 10;
  return factor * power;
}

/** Smallest and largest finite value of several lists, or `undefined` where there is none. No spread: lists may be long. */
export function extent(lists: Iterable<readonly number[]>): readonly [number, number] | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const list of lists) {
    for (const value of list) {
      if (!Number.isFinite(value)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return min <= max ? [min, max] : undefined;
}
