import type { RunFolder } from "../../run/files.ts";
import { formatDuration, formatInteger, formatNumber } from "../format.ts";
import { type Html, html } from "../html.ts";
import { lastValue, median, type Quantities } from "../quantities.ts";

interface Tile {
  readonly label: string;
  readonly value: string | undefined;
  readonly unit: string;
}

const statusText = {
  running: "running, or killed",
  finished: "finished",
  stopped: "stopped early",
  aborted: "aborted",
  failed: "failed",
} as const;

/** Name, status and the figures a reader looks for first. */
export function header({ info, metrics }: RunFolder, quantities: Quantities): Html {
  const step = info.result?.step ?? metrics.lastStep ?? 0;
  return html`<header><h1>${info.name}</h1>
<p class="sub"><span class="status ${info.status}">${statusText[info.status]}</span> step ${formatInteger(step)} · started <time datetime="${info.createdAt}">${info.createdAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")}</time></p>
<dl class="tiles">${tiles(info, quantities).map(tile)}</dl></header>
`;
}

function tiles(info: RunFolder["info"], quantities: Quantities): readonly Tile[] {
  const result = info.result ?? {};
  const heldOut = result.heldOutLoss ?? lastValue(quantities.heldOutLoss);
  const tokensPerSecond = result.tokensPerSecond ?? (quantities.speed?.unit === "tokens/s" ? median(quantities.speed) : undefined);
  const perplexity = result.perplexity ?? (heldOut === undefined ? undefined : Math.exp(heldOut));
  return [
    { label: "Held-out loss", value: shown(heldOut), unit: "nats/token" },
    { label: "Perplexity", value: shown(perplexity), unit: "e to the held-out loss" },
    { label: "Bits per byte", value: shown(result.bitsPerByte ?? lastValue(quantities.bitsPerByte)), unit: "held-out" },
    { label: "Train loss", value: shown(result.trainLoss ?? lastValue(quantities.trainLoss)), unit: "nats/token, last record" },
    { label: "Throughput", value: shown(tokensPerSecond), unit: "tokens/s" },
    { label: "Wall time", value: result.wallSeconds === undefined ? undefined : formatDuration(result.wallSeconds), unit: "" },
    { label: "Parameters", value: formatInteger(info.parameters), unit: "" },
    { label: "Backend", value: info.backend, unit: `seed ${info.seed}` },
  ];
}

function shown(value: number | undefined): string | undefined {
  return value === undefined ? undefined : formatNumber(value);
}

function tile({ label, value, unit }: Tile): Html {
  const content = value === undefined ? html`<span class="none">not measured</span>` : html`<span class="value">${value}</span>`;
  return html`<div><dt>${label}</dt><dd>${content}<span class="unit">${unit}</span></dd></div>`;
}
