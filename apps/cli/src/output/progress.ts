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
  let heldOut = "";
  let shownAt = 0;
  let open = false;
  const pace = paceMeter();
  return {
    record: ({ kind, step, values }) => {
      if (kind === "checkpoint") return;
      if (kind === "evaluation") heldOut = evaluationText(values);
      else pace.tick(values["stepMs"] ?? 0);
      // A terminal cannot show more, and each write costs time.
      if (kind === "step" && step < steps && performance.now() - shownAt < 100) return;
      shownAt = performance.now();
      if (kind === "step") stdout.write(`\r\u001b[2K${fit(stepText(step, steps, values, pace.seconds()), heldOut, columnsOf())}`);
      open = true;
    },
    end: () => {
      if (open) stdout.write("\n");
      open = false;
    },
  };
}

function stepText(step: number, steps: number, values: StepRecord["values"], secondsPerStep: number): string {
  const number = (key: string): number => values[key] ?? Number.NaN;
  const terms = Object.keys(values).filter((key) => key.endsWith(".loss"));
  const parts = [
    `step ${step}/${steps}`,
    `loss ${number("loss").toFixed(3)}`,
    // One term with weight 1 would say the same number twice.
    ...(terms.length > 1 ? terms.map((key) => `${key.slice(0, -5)} ${number(key).toFixed(3)}`) : []),
    `${formatShort(number("tokensPerSecond"))} tok/s`,
    `ETA ${formatSeconds((steps - step) * secondsPerStep)}`,
    formatBytes(process.memoryUsage.rss()),
  ];
  return parts.join(" · ");
}

function evaluationText(values: StepRecord["values"]): string {
  const bits = values["heldOut.bitsPerByte"];
  const loss = values["heldOut.loss"] ?? Number.NaN;
  return bits === undefined ? `held-out ${loss.toFixed(3)}` : `held-out ${bits.toFixed(3)} bits/byte`;
}

function fit(line: string, heldOut: string, columns: number): string {
  const both = heldOut === "" ? line : `${line} · ${heldOut}`;
  return both.length < columns ? both : both.slice(0, Math.max(1, columns - 1));
}

/** Seconds per step, smoothed over some twenty steps. */
function paceMeter(): { tick(ms: number): void; seconds(): number } {
  let mean = 0;
  return {
    tick: (ms) => {
      mean = mean === 0 ? ms : mean + (ms - mean) / 20;
    },
    seconds: () => mean / 1000,
  };
}

/** Some terminals without a size report 0 columns. */
function columnsOf(): number {
  return stdout.columns > 0 ? stdout.columns : 80;
}
