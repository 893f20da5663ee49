import type { Series } from "../../metrics/read.ts";
import { formatInteger, formatNumber } from "../format.ts";
import { type Child, html } from "../html.ts";
import type { Frame } from "./frame.ts";
import type { Line } from "./line.ts";

const maxBands = 80;

/** Invisible columns whose tooltip tells the step and every line's value there: readable values without a script. */
export function hoverBands(lines: readonly Line[], frame: Frame): Child {
  const steps = stepsToShow(lines);
  const { box } = frame;
  const middle = (a: number, b: number): number => frame.left((a + b) / 2);
  return steps.map((step, i) => {
    const from = i === 0 ? box.left : middle(steps[i - 1] ?? step, step);
    const to = i === steps.length - 1 ? box.right : middle(step, steps[i + 1] ?? step);
    const tip = [`step ${formatInteger(step)}`, ...lines.flatMap(({ name, series }) => valueAt(name, series, step))].join("\n");
    return html`<rect class="tip" x="${from.toFixed(1)}" y="${box.top}" width="${Math.max(0, to - from).toFixed(1)}" height="${box.bottom - box.top}"><title>${tip}</title></rect>`;
  });
}

/** Evenly chosen from all steps recorded; all of them where they are few. */
function stepsToShow(lines: readonly Line[]): readonly number[] {
  const all = [...new Set(lines.flatMap(({ series }) => series.steps))].sort((a, b) => a - b);
  if (all.length <= maxBands) return all;
  return Array.from({ length: maxBands }, (_, i) => all[Math.round((i * (all.length - 1)) / (maxBands - 1))]).filter(
    (step) => step !== undefined,
  );
}

/** The value at the step or, for a quantity measured less often, the latest one before it, with its own step. */
function valueAt(name: string, { steps, values }: Series, step: number): readonly string[] {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] ?? Number.POSITIVE_INFINITY) <= step) low = middle + 1;
    else high = middle;
  }
  const [at, value] = [steps[low - 1], values[low - 1]];
  if (at === undefined || value === undefined) return [];
  return [`${name} ${formatNumber(value)}${at === step ? "" : ` (step ${formatInteger(at)})`}`];
}
