import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EitpError } from "@eitp/engine/error";
import { afterAll } from "vitest";
import { loadConfiguration } from "../src/config/load.ts";
import type { Output } from "../src/output/output.ts";
import { startRun } from "../src/run/start.ts";
import type { Outcome } from "../src/run/training.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const main = join(root, "apps/cli/src/main.ts");

/** A folder that goes when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "eitp-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const prose: string =
  "Call me Ishmael. Some years ago, never mind how long precisely, I thought I would sail about a little.\n".repeat(40);

export function write(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Settings of a model that trains a step in milliseconds. */
const tiny: readonly string[] = [
  "model.width=8",
  "model.heads=2",
  "model.layers=1",
  "model.context=8",
  "training.batch=2",
  "evaluation.batches=2",
  "samples.maxTokens=4",
];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a child process. `meet` is called with the child and what it has written to stdout so far. */
export async function eitp(
  words: readonly string[],
  meet?: (child: ChildProcess, stdout: string) => void,
  output: "pipe" | number = "pipe",
): Promise<Ended> {
  const child = spawn(process.execPath, ["--conditions=@eitp/source", "--import", "tsx", main, ...words], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", output, "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    meet?.(child, stdout);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  return { code, stdout, stderr };
}

export function set(...assignments: readonly string[]): readonly string[] {
  return [...tiny, ...assignments].flatMap((assignment) => ["--set", assignment]);
}

/** An output that remembers. */
export function listener(): Output & { readonly said: string[] } {
  const said: string[] = [];
  return {
    said,
    json: false,
    quiet: true,
    note: (text) => said.push(text),
    warn: (text) => said.push(`warning: ${text}`),
    line: (value) => said.push(JSON.stringify(value)),
    text: (text) => said.push(text),
    result: (value) => said.push(JSON.stringify(value)),
  };
}

/** What `eitp train` does, in this process. */
export async function trainHere(
  assignments: readonly string[],
  out: Output = listener(),
  { overwrite = false, signal = new AbortController().signal }: { readonly overwrite?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Outcome> {
  const { config } = await loadConfiguration({ set: [...tiny, ...assignments] });
  const interruption = { signal, abort: () => undefined, release: () => undefined };
  return startRun({ config, overwrite, command: ["eitp", "train"], output: out, interruption });
}

/** Code and message of the error that a promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (EitpError.is(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("it succeeded");
}
