import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EitpError } from "@eitp/engine/error";
import { counter } from "@eitp/engine/random";
import { type OutputOptions, output } from "../output/output.ts";
import { mobyDickDocument } from "../run/corpus.ts";
import { runChild } from "../verify/child.ts";
import { compareRuns } from "../verify/compare.ts";

export interface VerifyResumeFlags extends OutputOptions {
  readonly kills: number;
  readonly steps: number;
  readonly seed: number;
  readonly backend: string;
  readonly keep?: boolean;
}

/**
 * `eitp verify-resume`: one run from beginning to end, and one that is killed (SIGKILL) at random moments and resumed; then every byte of
 * every checkpoint and every number of the logs is compared.
 */
export async function verifyResume(flags: VerifyResumeFlags): Promise<void> {
  const out = output(flags);
  const { kills, steps, seed } = flags;
  if (kills >= steps) throw new EitpError("usage", `--kills ${kills} needs more than ${kills} steps; give --steps ${2 * kills} or more.`);
  const folder = mkdtempSync(join(tmpdir(), "eitp-verify-"));
  try {
    const run = join(folder, "run");
    const whole = join(folder, "uninterrupted");
    const start = ["train", "--config", await writeConfig(folder), "--out", run, "--steps", String(steps), "--backend", flags.backend];
    out.note(`${steps} steps without interruption …`);
    await runChild(start, null);
    // Both runs have the same path, since a checkpoint records it.
    renameSync(run, whole);
    mkdirSync(run);

    const moments = momentsOf(kills, steps, seed);
    let killed = 0;
    let words = start;
    for (const moment of moments) {
      const { reached } = await runChild(words, moment);
      killed += reached === null ? 0 : 1;
      out.note(reached === null ? "ended before its kill" : `killed after the record of step ${reached}`);
      words = ["resume", run];
    }
    const { finished } = await runChild(words, null);
    out.note(`resumed to the end (step ${finished})`);

    const { differences, files, lines } = await compareRuns(whole, run);
    const identical = differences.length === 0;
    out.result({ identical, kills: killed, steps, files, lines, differences }, () =>
      identical
        ? `identical: ${files} checkpoint files and ${lines} log lines, after ${killed} kills`
        : `different:\n${differences.map((line) => `  ${line}`).join("\n")}`,
    );
    if (!identical)
      throw new EitpError("internal", `a resumed run differs from an uninterrupted one in ${differences.length} places (kept: ${folder}).`);
    if (flags.keep !== true) rmSync(folder, { recursive: true });
    else out.note(`kept: ${folder}`);
  } catch (error) {
    if (!EitpError.is(error) || error.code !== "internal") rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Steps at which to kill, ascending, each with a delay, so that kills also fall into saves and evaluations. */
function momentsOf(kills: number, steps: number, seed: number): readonly { readonly step: number; readonly delayMs: number }[] {
  const random = counter(seed).fold("verify-resume");
  const chosen = new Set<number>();
  for (let i = 0; chosen.size < kills; i++) chosen.add(1 + Math.floor(random.fold("step").uniform(i) * (steps - 1)));
  return [...chosen].sort((a, b) => a - b).map((step, i) => ({ step, delayMs: Math.floor(random.fold("delay").uniform(i) * 60) }));
}

/** A small run that uses everything a checkpoint holds: dropout, accumulation, evaluation, ledger, samples. */
async function writeConfig(folder: string): Promise<string> {
  const { text } = await mobyDickDocument();
  const corpus = join(folder, "corpus.txt");
  writeFileSync(corpus, String(text).slice(0, 60_000));
  const path = join(folder, "config.json");
  const config = {
    data: { inputs: [corpus] },
    model: { width: 16, layers: 2, heads: 2, context: 16, dropout: 0.1 },
    training: { batch: 2, microBatches: 2, seed: 7 },
    optimizer: { learningRate: 3e-3, schedule: { warmup: 5 } },
    evaluation: { every: 10, batches: 2 },
    checkpoint: { every: 5, keep: 1000 },
    ledger: { every: 7 },
    samples: { every: 20, maxTokens: 8 },
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
