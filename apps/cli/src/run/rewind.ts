import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "@eitp/core/node";
import type { StepRecord } from "@eitp/core/spec";
import { metricsFile, truncateMetrics } from "@eitp/lab";
import { runFiles } from "./folder.ts";

/**
 * Puts the logs of a run back to a checkpoint of `step`: what came later goes, and of that step itself what comes after its training record,
 * since the resumed run writes it again. A run that was killed and resumed so ends with the files of one that was not.
 */
export async function rewindLogs(folder: string, step: number, checkpoint: string): Promise<void> {
  await truncateMetrics(join(folder, runFiles.samples), step);
  const metrics = join(folder, runFiles.metrics);
  await truncateMetrics(metrics, step + 1);
  const lines = (await textOf(metrics)).split("\n").filter((line) => line !== "" && !isAfterTraining(line, step));
  await writeFileAtomically(metrics, lines.map((line) => `${line}\n`).join(""));
  const hook = metricsFile(metrics);
  await hook.onRecord({ step, kind: "checkpoint", values: {}, checkpoint });
  await hook.onEnd?.("stopped");
}

/** Empties the logs of a run that starts again from nothing. */
export async function clearLogs(folder: string): Promise<void> {
  for (const name of [runFiles.samples, runFiles.metrics]) await truncateMetrics(join(folder, name), 0);
}

function isAfterTraining(line: string, step: number): boolean {
  const record = JSON.parse(line) as Pick<StepRecord, "step" | "kind">;
  return record.step === step && record.kind !== "step";
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
