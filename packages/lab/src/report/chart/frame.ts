import { fittingKind, linearScale, logScale, type Scale, type ScaleKind } from "./scale.ts";

/** Where a chart's values are drawn, in user units of its SVG. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly box: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
  readonly x: Scale;
  readonly y: Scale;
  left(step: number): number;
  top(value: number): number;
}
type Range = readonly [min: number, max: number];

/**
 * @param wide - Across the page; else half of it.
 * @param scale - Of the vertical axis; what fits the values unless given.
 */
export function frameFor(steps: Range, values: Range, wide: boolean, scale?: ScaleKind): Frame {
  const [width, height] = wide ? [1080, 370] : [530, 240];
  const box = { left: 58, right: width - 12, top: 26, bottom: height - 26 };
  const [first, last] = steps[0] === steps[1] ? [steps[0] - 1, steps[1] + 1] : steps;
  const x = linearScale(first, last, wide ? 8 : 4);
  const y = valueScale(values, wide ? 6 : 4, scale);
  return {
    width,
    height,
    box,
    // Steps are whole: a short run must not get a tick at 0.5.
    x: { ...x, ticks: x.ticks.filter((tick) => Number.isInteger(tick) && tick >= 0) },
    y,
    left: (step) => box.left + x.at(step) * (box.right - box.left),
    top: (value) => box.bottom - y.at(value) * (box.bottom - box.top),
  };
}

/** A little air above and below, so that no line runs along the frame. */
function valueScale([min, max]: Range, count: number, wanted: ScaleKind | undefined): Scale {
  if ((wanted ?? fittingKind(min, max)) === "log") return logScale(min / (max / min) ** 0.04, max * (max / min) ** 0.04, count);
  const air = max > min ? 0.04 * (max - min) : Math.max(Math.abs(max) * 0.1, 1e-9);
  return linearScale(min - air, max + air, count);
}
