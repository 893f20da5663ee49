import { type ChartOptions, chart } from "../chart/chart.ts";
import type { Line } from "../chart/line.ts";
import { formatNumber, formatTick } from "../format.ts";
import { type Child, type Html, html } from "../html.ts";
import { colours, lastValue, type Quantities, type Quantity } from "../quantities.ts";

/** More small charts than this make a page nobody reads, and a file nobody mails. */
const maxSmall = 24;

/** The loss, across the page. */
export function lossChart({ trainLoss, heldOutLoss }: Quantities): Html {
  const lines: readonly Line[] = [
    ...(trainLoss === undefined ? [] : [{ name: "train", series: trainLoss.series }]),
    ...(heldOutLoss === undefined ? [] : [{ name: "held-out", series: heldOutLoss.series, points: true }]),
  ];
  const options = { title: "Loss", unit: "nats/token", lines };
  // Twice, because a chart that fills a desktop has labels too small for a phone; the style sheet shows one.
  return html`<section>${chart({ ...options, id: "loss", wide: true })}<div class="phone">${chart({ ...options, id: "loss-phone" })}</div></section>
`;
}

/** Learning rate, gradient norm, speed, bits per byte: each where it was recorded. */
export function runCharts({ learningRate, gradientNorm, speed, bitsPerByte }: Quantities): Child {
  const charts = [
    one("rate", "Learning rate", "", learningRate, { smoothing: false, scale: "linear" }),
    one("norm", "Gradient norm", "before clipping", gradientNorm),
    one("speed", speed?.unit === "ms/step" ? "Time per step" : "Throughput", speed?.unit ?? "", speed),
    one("bits", "Bits per byte, held-out", "bits/byte", bitsPerByte, { points: true }),
  ].flat();
  return charts.length === 0
    ? ""
    : html`<section><h2>Run</h2><div class="grid2">${charts}</div></section>
`;
}

/** What each term contributes to the objective, and each term by itself. */
export function termCharts(quantities: Quantities): Child {
  const { terms, total, trainLoss } = quantities;
  const colour = colours(quantities);
  if (terms.length === 0) return "";
  const weighted = terms.flatMap((term) =>
    term.weighted === undefined ? [] : [{ name: term.use, series: term.weighted.series, colour: colour.get(term.use) ?? 1 }],
  );
  // The cross-entropy is usually so much larger that the others lie flat beside it.
  const smaller = weighted.filter(({ name }) => `${name}.loss` !== trainLoss?.key);
  const rows = terms.map(
    ({ use, loss, weight, weighted }) =>
      html`<tr><th scope="row">${use}</th><td>${last(loss)}</td><td>${last(weight, formatTick)}</td><td>${last(weighted)}</td></tr>`,
  );
  const more = terms.length > maxSmall ? html`<p class="note">The first ${maxSmall} of ${terms.length} terms are drawn.</p>` : "";
  return html`<section><h2>Terms of the objective</h2>
<div class="scroll"><table><caption>Last recorded values</caption><thead><tr><th scope="col">Term</th><th scope="col">Value</th><th scope="col">Weight</th><th scope="col">Weighted value</th></tr></thead><tbody>${rows}</tbody></table></div>
<div class="grid2">${weighted.length === 0 ? "" : chart({ id: "weighted", title: "Weighted values", unit: "contribution to the objective", lines: weighted })}${
    smaller.length > 0 && smaller.length < weighted.length
      ? chart({ id: "smaller", title: "Weighted values without the cross-entropy", unit: "contribution to the objective", lines: smaller })
      : ""
  }${one("total", "Total objective", "", total)}${terms
    .slice(0, maxSmall)
    .map(({ use, loss }, i) => one(`term${i}`, use, "value, unweighted", loss, { colour: colour.get(use) ?? 1 }))}</div>${more}</section>
`;
}

/** Everything else that was recorded, under its own key. */
export function otherCharts({ rest, restEvaluations }: Quantities): Child {
  const all = [
    ...rest.map((quantity) => ({ quantity, points: false, title: quantity.key })),
    ...restEvaluations.map((quantity) => ({ quantity, points: true, title: `${quantity.key} (evaluation)` })),
  ];
  if (all.length === 0) return "";
  const shown = all.slice(0, maxSmall).map(({ quantity, points, title }, i) => one(`other${i}`, title, "", quantity, { points }));
  const more =
    all.length > maxSmall
      ? html`<p class="note">The first ${maxSmall} of ${all.length} recorded quantities are drawn; metrics.jsonl holds all.</p>`
      : "";
  return html`<section><h2>Other measurements</h2><div class="grid2">${shown}</div>${more}</section>
`;
}

function one(
  id: string,
  title: string,
  unit: string,
  quantity: Quantity | undefined,
  { points = false, colour = 1, ...how }: Pick<ChartOptions, "smoothing" | "scale"> & Pick<Line, "points" | "colour"> = {},
): readonly Html[] {
  return quantity === undefined
    ? []
    : [chart({ id, title, unit, ...how, lines: [{ name: quantity.key, series: quantity.series, points, colour }] })];
}

function last(quantity: Quantity | undefined, format: (value: number) => string = formatNumber): string {
  const value = lastValue(quantity);
  return value === undefined ? "–" : format(value);
}
