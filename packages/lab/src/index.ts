export { metricsFile } from "./metrics/file.ts";
export { type CheckpointEntry, type LedgerEntry, type Metrics, readMetrics, type Series } from "./metrics/read.ts";
export { truncateMetrics } from "./metrics/truncate.ts";
export { report, writeReport } from "./report/report.ts";
export { environment } from "./run/environment.ts";
export { appendSample, type RunFolder, readRun, writeRunFile } from "./run/files.ts";
export type { Environment, GitState, RunFigures, RunFiles, RunInfo, RunStatus, Sample } from "./run/types.ts";
export { type TensorBoardOptions, tensorBoardFile } from "./tensorboard/file.ts";
