import { EitpError } from "@eitp/engine/error";
import { formatSeconds, formatShort } from "../output/format.ts";
import type { Output } from "../output/output.ts";
import { printable } from "../output/printable.ts";
import type { Outcome } from "../run/training.ts";

/**
 * Tells how a training ended.
 * @param closed - The reader of stdout went away: that is how `| head` ends a command, so it is no failure.
 * @throws EitpError "interrupted" where a signal ended it.
 */
export function concluded(outcome: Outcome, out: Output, closed: boolean): void {
  const {
    folder,
    reason,
    step,
    result,
    checkpoint,
    report,
    samples,
    next = [`eitp generate ${folder}`, `eitp inspect ${folder}`],
  } = outcome;
  if (reason === "aborted") {
    const how = `stopped after step ${step}; saved in ${checkpoint}. Go on with \`eitp resume ${folder}\`.`;
    if (!closed) throw new EitpError("interrupted", how);
    out.note(`Output was closed: ${how}`);
    return;
  }
  for (const { prompt, text } of samples) out.note(`\n--- sample ---\n${printable((prompt + text).trim())}`);
  const texts = samples.map(({ prompt, text }) => ({ prompt, text }));
  const summary = `\n${summaryOf(outcome)}\ntry next:\n${next.map((words) => `  ${words}`).join("\n")}\n`;
  if (!out.json && process.stdout.isTTY) {
    out.text(summary);
    return;
  }
  out.note(summary.trimEnd());
  out.line({ kind: "result", step, reason, ...result, run: folder, checkpoint, report, samples: texts });
}

function summaryOf({ reason, step, result, checkpoint, report }: Outcome): string {
  const { heldOutLoss, perplexity, bitsPerByte, tokensPerSecond = 0, wallSeconds = 0 } = result;
  const heldOut = [
    ...(heldOutLoss === undefined ? [] : [`held-out loss ${heldOutLoss.toFixed(4)} nats/token`]),
    ...(perplexity === undefined ? [] : [`perplexity ${perplexity.toFixed(2)}`]),
    ...(bitsPerByte === undefined ? [] : [`${bitsPerByte.toFixed(3)} bits per byte`]),
  ];
  const speed = tokensPerSecond > 0 ? `, ${formatShort(tokensPerSecond)} tokens/s` : "";
  return [
    `${reason === "stopped" ? "Stopped early" : "Finished"} at step ${step} after ${formatSeconds(wallSeconds)}${speed}`,
    ...(heldOut.length > 0 ? [heldOut.join(", ")] : []),
    `checkpoint: ${checkpoint}`,
    `report:     ${report}`,
  ].join("\n");
}
