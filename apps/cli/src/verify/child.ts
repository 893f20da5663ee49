import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { EitpError } from "@eitp/engine/error";

export interface ChildEnd {
  /** The step whose record had been seen when it was killed; null where it ended by itself. */
  readonly reached: number | null;
  /** The last step of a run that ended by itself. */
  readonly finished: number | null;
}

/**
 * Runs this program with other words, and kills it some time after the record of a step.
 * @throws EitpError "internal" where it fails by itself, with what it said.
 */
export async function runChild(
  words: readonly string[],
  kill: { readonly step: number; readonly delayMs: number } | null,
): Promise<ChildEnd> {
  const main = process.argv[1];
  if (main === undefined) throw new EitpError("internal", "this program does not know its own path, so it cannot start itself");
  const child = spawn(process.execPath, [...process.execArgv, main, ...words, "--json"], {
    env: ownEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<{ readonly code: number | null; readonly signal: string | null }>((resolve, reject) => {
    child.on("error", reject).on("close", (code, signal) => resolve({ code, signal }));
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });

  let reached: number | null = null;
  let finished: number | null = null;
  let dying: Promise<void> | null = null;
  const die = async (delayMs: number): Promise<void> => {
    await setTimeout(delayMs);
    child.kill("SIGKILL");
  };
  for await (const line of createInterface({ input: child.stdout })) {
    // A kill may tear the last line.
    if (!line.endsWith("}")) continue;
    const { kind, step } = JSON.parse(line) as { readonly kind: string; readonly step: number };
    if (kind === "result") finished = step;
    if (kind !== "step") continue;
    if (kill !== null && dying === null && step >= kill.step) dying = die(kill.delayMs);
    reached = step;
  }
  await dying;
  const { code, signal } = await ended;
  if (signal === "SIGKILL" && dying !== null) return { reached, finished: null };
  if (code !== 0) throw new EitpError("internal", `a run of the check ended with code ${code ?? signal}: ${said.trim()}`);
  return { reached: null, finished };
}

/** Settings of the user must not change the check. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("EITP_") || name === "EITP_DEBUG"));
}
