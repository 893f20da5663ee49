/** Why a record was made. */
export type RecordKind = "step" | "evaluation" | "checkpoint";

/** One finished step as numbers; read asynchronously, at least one step late. Keys are "use.loss", "use.weighted", "use.metric", "gradient.norm", "learningRate", …. */
export interface StepRecord {
  readonly step: number;
  readonly kind: RecordKind;
  readonly values: { readonly [key: string]: number };
  readonly ledger?: readonly LedgerRow[];
  /** Folder of the checkpoint, for kind "checkpoint". */
  readonly checkpoint?: string;
}
/** What one term does to the gradient. */
export interface LedgerRow {
  readonly term: string;
  readonly value: number;
  readonly weighted: number;
  readonly gradientNorm: number;
  /** With the cross-entropy gradient; NaN where either is zero. */
  readonly cosine: number;
  /** Of this term's own backward pass, host clock. */
  readonly ms: number;
}
/** Observes finished steps; never changes a run. Hooks run in ascending `priority` (default 0), then in list order. */
export interface Hook {
  readonly name: string;
  readonly priority?: number;
  /** Only step records of steps divisible by this; default 1. Evaluations and checkpoints always come. */
  readonly every?: number;
  /** Called with each record; the run waits for the promise, and ends with the error where it rejects. */
  onRecord(record: StepRecord): void | Promise<void>;
  /** Called once when the run is over, whatever the reason. */
  onEnd?(reason: EndReason): void | Promise<void>;
}
/** All steps done; stopped early by `earlyStopping` or by leaving the loop; aborted by the signal; or an error. */
export type EndReason = "finished" | "stopped" | "aborted" | "failed";
