import { formatNumber, formatTick } from "../format.ts";
import { type Child, type Html, html } from "../html.ts";
import { downsample, type Pieces } from "./downsample.ts";
import { type Frame, frameFor } from "./frame.ts";
import { hoverBands } from "./hover.ts";
import { type Line, maxLines } from "./line.ts";
import { extent, type ScaleKind } from "./scale.ts";
import { smooth, windowFor } from "./smooth.ts";

export interface ChartOptions {
  /** Unique in the page: the SVG's title and description are found by it. */
  readonly id: string;
  readonly title: string;
  /** Unit of the vertical axis. */
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Across the page, with more points; default false. */
  readonly wide?: boolean;
  /** Draw a moving mean over the faint raw values of long lines; default true. */
  readonly smoothing?: boolean;
  /** Of the vertical axis; default logarithmic for positive values that span more than a factor 30. */
  readonly scale?: ScaleKind;
  /** Fixed range of the vertical axis. */
  readonly range?: readonly [number, number];
}

/** A line chart as an inline SVG with title, description, axes, legend and a tooltip for each of up to 80 steps. */
export function chart(options: ChartOptions): Html {
  const { id, title, unit, wide = false } = options;
  const lines = options.lines.slice(0, maxLines);
  const shown = lines.map(({ series }) => series);
  const steps = extent(shown.map((series) => series.steps));
  const values = options.range ?? extent(shown.map((series) => series.values));
  if (steps === undefined || values === undefined) return emptyChart(options);

  const frame = frameFor(steps, values, wide, options.scale);
  const drawn = lines.map((line) => prepare(line, options, wide ? 250 : 110));
  const name = `${title} over steps`;
  return html`<figure class="chart${wide ? " wide" : ""}"><figcaption><h3>${title}</h3><p class="legend">${legend(drawn, title)}</p></figcaption>
<svg role="img" aria-labelledby="${id}-t ${id}-d" viewBox="0 0 ${frame.width} ${frame.height}"><title id="${id}-t">${name}</title><desc id="${id}-d">${describe(lines, steps, frame.y.kind)}</desc>
${axes(frame, unit)}${drawn.map((line, i) => draw(line, colourOf(line, i), frame))}${hoverBands(lines, frame)}</svg>${notes(drawn, options)}</figure>
`;
}

function colourOf({ line }: Pick<Drawn, "line">, i: number): number {
  return line.colour ?? i + 1;
}

interface Drawn {
  readonly line: Line;
  readonly raw: Pieces;
  readonly window: number;
  readonly smoothed?: Pieces;
}

function prepare(line: Line, { smoothing = true }: ChartOptions, buckets: number): Drawn {
  const window = smoothing && line.points !== true ? windowFor(line.series.values.length) : 1;
  const raw = downsample(line.series, buckets);
  return { line, raw, window, ...(window > 1 && { smoothed: downsample(smooth(line.series, window), buckets) }) };
}

function draw({ line, raw, smoothed }: Drawn, colour: number, frame: Frame): Html {
  const faint = smoothed === undefined ? "" : " raw";
  // A handful of values, possibly with gaps, would be specks without marks.
  const marks = line.series.values.length <= (line.points === true ? 60 : 12) ? raw.pieces.flat() : [];
  return html`<g class="s${colour}"><path class="line${faint}" d="${path(raw, frame)}"/>${smoothed === undefined ? "" : html`<path class="line" d="${path(smoothed, frame)}"/>`}${marks.map(
    ([step, value]) => html`<circle cx="${coordinate(frame.left(step))}" cy="${coordinate(frame.top(value))}" r="3"/>`,
  )}</g>`;
}

/** A piece of one point becomes a line of length 0: with round caps that is a dot. */
function path({ pieces }: Pieces, frame: Frame): string {
  const place = (step: number, value: number): string => `${coordinate(frame.left(step))} ${coordinate(frame.top(value))}`;
  return pieces.map((piece) => `M${piece.map(([step, value]) => place(step, value)).join("L")}${piece.length === 1 ? "h0" : ""}`).join("");
}

function axes(frame: Frame, unit: string): Html {
  const { box, x, y } = frame;
  const horizontal = y.ticks.map((value) => {
    const top = coordinate(frame.top(value));
    return html`<line class="grid" x1="${box.left}" x2="${box.right}" y1="${top}" y2="${top}"/><text class="y" x="${box.left - 7}" y="${top}">${formatTick(value)}</text>`;
  });
  const vertical = x.ticks.map((value) => {
    const left = coordinate(frame.left(value));
    // A label centred at the right edge would be cut off.
    return html`<text class="x${left > box.right - 20 ? " end" : ""}" x="${left}" y="${box.bottom + 7}">${formatTick(value)}</text>`;
  });
  const label = [unit, y.kind === "log" ? "(log)" : ""].join(" ").trim();
  return html`${horizontal}<line class="axis" x1="${box.left}" x2="${box.right}" y1="${box.bottom}" y2="${box.bottom}"/>${vertical}<text class="unit" x="${box.left}" y="3">${label}</text><text class="step" x="${box.left - 10}" y="${box.bottom + 7}">step</text>
`;
}

/** A swatch for each line; for a single one only its name, unless that is the title. */
function legend(drawn: readonly Drawn[], title: string): Child {
  if (drawn.length === 1) return drawn.map(({ line }) => (line.name === title ? "" : html`<code>${line.name}</code>`));
  return drawn.map(({ line }, i) => {
    const mark = line.points === true ? html`<circle cx="11" cy="4" r="3"/>` : "";
    return html`<span><svg class="key s${colourOf({ line }, i)}" viewBox="0 0 22 8" aria-hidden="true"><path class="line" d="M1 4H21"/>${mark}</svg>${line.name}</span> `;
  });
}

function notes(drawn: readonly Drawn[], { lines }: ChartOptions): Child {
  const window = Math.max(...drawn.map((line) => line.window));
  const gaps = drawn.reduce((sum, { raw }) => sum + raw.gaps, 0);
  const texts = [
    window > 1 ? `Strong: mean over ${window} records; faint: as recorded.` : "",
    drawn.some(({ raw }) => raw.downsampled) ? "Downsampled." : "",
    gaps > 0 ? `${gaps} non-finite ${gaps === 1 ? "value is a gap" : "values are gaps"}.` : "",
    lines.length > maxLines ? `The first ${maxLines} of ${lines.length} are drawn.` : "",
  ].filter((text) => text !== "");
  return texts.length === 0 ? "" : html`<p class="note">${texts.join(" ")}</p>`;
}

function describe(lines: readonly Line[], [first, last]: readonly [number, number], kind: ScaleKind): string {
  const ends = lines.map(({ name, series }) => {
    const [start, end] = [series.values[0], series.values.at(-1)];
    return start === undefined || end === undefined ? `${name}: no values` : `${name} from ${formatNumber(start)} to ${formatNumber(end)}`;
  });
  return `Line chart, ${kind} vertical axis, steps ${first} to ${last}. ${ends.join("; ")}.`;
}

function emptyChart({ title, lines }: ChartOptions): Html {
  const count = lines.reduce((sum, { series }) => sum + series.values.length, 0);
  const reason = count === 0 ? "Nothing recorded yet." : `All ${count} recorded values are non-finite (NaN or infinite).`;
  return html`<figure class="chart"><figcaption><h3>${title}</h3></figcaption><p class="empty">${reason}</p></figure>
`;
}

function coordinate(value: number): number {
  return Math.round(value * 10) / 10;
}
