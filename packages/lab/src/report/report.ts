import { join } from "node:path";
import { writeFileAtomically } from "@eitp/core/node";
import { type RunFolder, readRun } from "../run/files.ts";
import { formatInteger } from "./format.ts";
import { html, rawStyle } from "./html.ts";
import { colours, quantitiesOf } from "./quantities.ts";
import { lossChart, otherCharts, runCharts, termCharts } from "./sections/curves.ts";
import { checkpoints, reproduction } from "./sections/details.ts";
import { header } from "./sections/header.ts";
import { ledger } from "./sections/ledger.ts";
import { samples } from "./sections/samples.ts";
import { style } from "./style.ts";

/**
 * A run folder as one HTML page without scripts or network: key figures, curves, gradient ledger, samples, checkpoints, configuration and
 * environment. Depends on nothing but the folder's files, and stays below a megabyte however long the run was.
 * @returns The page.
 * @throws EitpError as `readRun` does.
 */
export async function report(runFolder: string): Promise<string> {
  return page(await readRun(runFolder));
}

/**
 * Writes `report.html` into the run folder, replacing it at once.
 * @returns Its path.
 * @throws EitpError as `readRun` does, and "io" where the disk refuses.
 */
export async function writeReport(runFolder: string): Promise<string> {
  const path = join(runFolder, "report.html");
  await writeFileAtomically(path, await report(runFolder));
  return path;
}

function page(run: RunFolder): string {
  const { info, metrics } = run;
  const quantities = quantitiesOf(metrics, info);
  const body = [
    header(run, quantities),
    lossChart(quantities),
    runCharts(quantities),
    termCharts(quantities),
    ledger(metrics.ledger, colours(quantities)),
    otherCharts(quantities),
    samples(run.samples),
    checkpoints(metrics.checkpoints),
    reproduction(run),
  ];
  const torn = metrics.torn ? " The last line was incomplete and left out: the run was being written to, or was killed." : "";
  // The policy makes the browser itself refuse scripts and the network, should escaping ever fail.
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${info.name} · EIT-P run</title>${rawStyle(style)}</head>
<body><main>${body}<footer>From ${formatInteger(metrics.records)} ${metrics.records === 1 ? "record" : "records"} of metrics.jsonl.${torn} Point at a chart for its values. Means are centred; downsampled curves keep the smallest and largest value of every range.</footer></main></body></html>
`.markup;
}
