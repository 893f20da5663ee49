import { join } from "node:path";
import { truncateMetrics } from "@eitp/lab";
import { runFiles } from "./folder.ts";

/** Puts the logs of a run back to a checkpoint, so that the run that goes on ends with the files of one that was never stopped. */
export async function rewindLogs(folder: string, step: number): Promise<void> {
  for (const name of [runFiles.metrics, runFiles.samples]) await truncateMetrics(join(folder, name), step);
}
