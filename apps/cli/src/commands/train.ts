import type { ConfigFlags } from "../config/flags.ts";
import { whenOutputCloses } from "../output/end.ts";
import { type Interruption, interruptible } from "../output/interrupt.ts";
import { type Output, type OutputOptions, output } from "../output/output.ts";
import { startRun } from "../run/start.ts";
import type { Outcome } from "../run/training.ts";
import { configurationOf } from "./configuration.ts";
import { concluded } from "./outcome.ts";

export type TrainFlags = ConfigFlags & OutputOptions & { readonly overwrite?: boolean };

/** `eitp train`. */
export async function train(flags: TrainFlags): Promise<void> {
  const out = output(flags);
  const config = await configurationOf(flags, out);
  const command = ["eitp", ...process.argv.slice(2)];
  await supervised(out, (interruption) => startRun({ config, overwrite: flags.overwrite ?? false, command, output: out, interruption }));
}

/** Runs a training that saves and ends on a signal, or when the reader of stdout goes away; then tells how it ended. */
export async function supervised(out: Output, run: (interruption: Interruption) => Promise<Outcome>): Promise<Outcome> {
  const interruption = interruptible(out, "finishing this step, then saving.");
  let closed = false;
  whenOutputCloses(() => {
    closed = true;
    interruption.abort();
  });
  try {
    const outcome = await run(interruption);
    concluded(outcome, out, closed);
    return outcome;
  } finally {
    interruption.release();
  }
}
