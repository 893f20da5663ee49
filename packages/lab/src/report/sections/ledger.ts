import type { LedgerRow } from "@eitp/core/spec";
import type { LedgerEntry, Series } from "../../metrics/read.ts";
import { chart } from "../chart/chart.ts";
import { type Line, maxLines } from "../chart/line.ts";
import { formatInteger, formatNumber } from "../format.ts";
import { type Child, html } from "../html.ts";

/** What each term does to the gradient: the latest entry as a table, norms and cosines over the run as charts. */
export function ledger(entries: readonly LedgerEntry[], colour: ReadonlyMap<string, number>): Child {
  const latest = entries.at(-1);
  if (latest === undefined) return "";
  const rows = latest.rows.map(({ term, value, weighted, gradientNorm, cosine, ms }) => {
    const numbers = [value, weighted, gradientNorm, cosine, ms].map((number) => html`<td>${formatNumber(number)}</td>`);
    return html`<tr><th scope="row">${term}</th>${numbers}</tr>`;
  });
  const columns = ["Term", "Value", "Weighted value", "Gradient norm", "Cosine with CE", "Backward, ms"];
  const lines = (pick: (row: LedgerRow) => number): readonly Line[] =>
    linesOf(entries, pick).map((line, i) => ({ ...line, colour: colour.get(line.name) ?? (i % maxLines) + 1 }));
  return html`<section><h2>Gradient ledger</h2>
<p>Each term's own backward pass at step ${formatInteger(latest.step)}. A cosine near −1 means that the term undoes what the cross-entropy learns; NaN, that one of the two gradients is zero.</p>
<div class="scroll"><table><caption>Latest entry of ${formatInteger(entries.length)}</caption><thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>
<div class="grid2">${chart({ id: "ledger-norm", title: "Gradient norm by term", unit: "norm", smoothing: false, lines: lines((row) => row.gradientNorm) })}${chart(
    {
      id: "ledger-cosine",
      title: "Cosine with the cross-entropy gradient",
      unit: "cosine",
      smoothing: false,
      range: [-1, 1],
      lines: lines((row) => row.cosine),
    },
  )}</div></section>
`;
}

function linesOf(entries: readonly LedgerEntry[], pick: (row: LedgerRow) => number): readonly Line[] {
  const series = new Map<string, { readonly steps: number[]; readonly values: number[] } & Series>();
  for (const { step, rows } of entries) {
    for (const row of rows) {
      const line = series.get(row.term) ?? { steps: [], values: [] };
      line.steps.push(step);
      line.values.push(pick(row));
      series.set(row.term, line);
    }
  }
  return [...series].map(([name, line]) => ({ name, series: line, points: true }));
}
