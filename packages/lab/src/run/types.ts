import type { Json } from "@eitp/core";
import type { EndReason } from "@eitp/core/spec";

/** How a run stands: still going (or killed without a word), or why it ended. */
export type RunStatus = "running" | EndReason;

/** Figures a run ends with; each is left out where it was not measured. Non-finite numbers survive (stored as strings). */
export interface RunFigures {
  /** Optimiser steps done. */
  readonly step?: number;
  /** Nats per token, as for `heldOutLoss`. */
  readonly trainLoss?: number;
  readonly heldOutLoss?: number;
  /** e to the power of `heldOutLoss`. */
  readonly perplexity?: number;
  readonly bitsPerByte?: number;
  readonly tokensPerSecond?: number;
  readonly wallSeconds?: number;
}

/** `run.json`: what the run is. */
export interface RunInfo {
  readonly schemaVersion: 1;
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The command line, as typed. */
  readonly command: readonly string[];
  readonly status: RunStatus;
  readonly seed: number;
  /** Name of the tfjs backend. */
  readonly backend: string;
  /** Number of trainable parameters. */
  readonly parameters: number;
  /** Tokens one optimiser step learns from; with it the report turns milliseconds per step into tokens per second. */
  readonly tokensPerStep?: number;
  readonly result?: RunFigures;
}

/** The commit a run was started from, and whether files differed from it. */
export interface GitState {
  readonly commit: string;
  readonly dirty: boolean;
}

/** `environment.json`: what the run ran on. */
export interface Environment {
  readonly schemaVersion: 1;
  /** Version of Node, "v20.20.2". */
  readonly node: string;
  /** Operating system and architecture, "linux x64 6.1.0". */
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Version of each package found. */
  readonly packages: { readonly [name: string]: string };
  /** `null` outside a git checkout. */
  readonly git: GitState | null;
}

/** One line of `samples.jsonl`: what the model wrote. */
export interface Sample {
  readonly step: number;
  readonly prompt: string;
  /** The continuation, without the prompt. */
  readonly text: string;
  /** Temperature, top-k and so on. */
  readonly options?: { readonly [name: string]: Json };
}

/** The JSON files of a run folder, by name. */
export interface RunFiles {
  readonly "run.json": RunInfo;
  /** The resolved configuration. */
  readonly "config.json": Json;
  readonly "environment.json": Environment;
}
