import type { Which } from "@eitp/core";
import { EitpError } from "@eitp/engine/error";
import { type OutputOptions, output } from "../output/output.ts";
import { resumeRun } from "../run/go-on.ts";
import { supervised } from "./train.ts";

export interface ResumeFlags extends OutputOptions {
  readonly steps?: number;
  readonly more?: number;
  readonly checkpoint: string;
  readonly backend?: string;
}

/** `eitp resume`. */
export async function resume(run: string, flags: ResumeFlags): Promise<void> {
  const { steps, more, backend } = flags;
  if (steps !== undefined && more !== undefined) {
    throw new EitpError("usage", "Give either --steps (in all) or --more (beyond the checkpoint), not both.");
  }
  const out = output(flags);
  const which = whichOf(flags.checkpoint);
  const chosen = { ...(steps !== undefined && { steps }), ...(more !== undefined && { more }), ...(backend !== undefined && { backend }) };
  await supervised(out, (interruption) => resumeRun(run, { ...chosen, which, output: out, interruption }));
}

/** Reads --checkpoint. @throws EitpError "usage" for anything but latest, best or a step. */
export function whichOf(text: string): Which {
  if (text === "latest" || text === "best") return text;
  const step = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(step)) return step;
  throw new EitpError("usage", `--checkpoint ${text}: expected latest, best or a step such as 100.`);
}
