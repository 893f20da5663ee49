import { stdout } from "node:process";
import type { StepRecord } from "@eitp/core/spec";
import { formatBytes, formatSeconds, formatShort } from "./format.ts";
import type { Output } from "./output.ts";

/** Shows a run as it goes. */
export interface Progress {
  record(record: StepRecord): void;
  /** Ends the live line, so that what follows begins on a line of its own. */
  end(): void;
}

/** One live line on a terminal, otherwise one JSON object a line; nothing with --quiet. */
export function progress(output: Output, steps: number): Progress {
  if (output.quiet && !output.json) return { record: () => undefined, end: () => undefined };
  if (output.json || !stdout.isTTY) return { record: (record) => output.line(record), end: () => undefined };
  return liveLine(steps);
}

function liveLine(steps: number): Progress {
  let heldOut: readonly string[] = [];
  let shownAt = 0;
  let open = false;
  const pace = paceMeter();
  return {
    record: ({ kind, step, values }) => {
      if (kind === "checkpoint") return;
      if (kind === "evaluation") heldOut = [evaluationText(values)];
      else pace.tick(values["stepMs"] ?? 0);
      // A terminal cannot show more, and each write costs time.
      if (kind === "step" && step < steps && performance.now() - shownAt < 100) return;
      shownAt = performance.now();
      if (kind === "step") stdout.write(`\r\u001b[2K${fit([...stepText(step, steps, values, pace.seconds()), ...heldOut], columnsOf())}`);
      open = true;
    },
    end: () => {
      if (open) stdout.write("\n");
      open = false;
    },
  };
}

function stepText(step: number, steps: number, values: StepRecord["values"], secondsPerStep: number): readonly string[] {
  const number = (key: string): number => values[key] ?? Number.NaN;
  const terms = Object.keys(values).filter((key) => key.endsWith(".loss"));
  return [
    `step ${step}/${steps}`,
    `loss ${number("loss").toFixed(3)}`,
    // One term with weight 1 would say the same number twice.
    ...(terms.length > 1 ? terms.map((key) => `${key.slice(0, -5)} ${number(key).toFixed(3)}`) : []),
    `${formatShort(number("tokensPerSecond"))} tok/s`,
    `ETA ${formatSeconds((steps - step) * secondsPerStep)}`,
    formatBytes(process.memoryUsage.rss()),
  ];
}

function evaluationText(values: StepRecord["values"]): string {
  const bits = values["heldOut.bitsPerByte"];
  const loss = values["heldOut.loss"] ?? Number.NaN;
  return bits === undefined ? `held-out ${loss.toFixed(3)}` : `held-out ${bits.toFixed(2)} bits/B`;
}

/** As many parts, from the first, as a line has room for. Two blanks, not a dot between: mostly all of them fit into 80 columns. */
function fit(parts: readonly string[], columns: number): string {
  let line = "";
  for (const part of parts) {
    const longer = line === "" ? part : `${line}  ${part}`;
    if (longer.length >= columns) break;
    line = longer;
  }
  return line;
}

/** Seconds per step, smoothed over some twenty steps; the first one, which also compiles, does not count. */
function paceMeter(): { tick(ms: number): void; seconds(): number } {
  let mean = 0;
  let count = -1;
  return {
    tick: (ms) => {
      count += 1;
      if (count > 0) mean += (ms - mean) / Math.min(count, 20);
      else mean = ms;
    },
    seconds: () => mean / 1000,
  };
}

/** Some terminals without a size report 0 columns. */
function columnsOf(): number {
  return stdout.columns > 0 ? stdout.columns : 80;
}
