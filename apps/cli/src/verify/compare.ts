import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { StepRecord } from "@eitp/core/spec";
import { runFiles } from "../run/folder.ts";

export interface Comparison {
  /** One line for each file or record that differs. */
  readonly differences: readonly string[];
  /** Checkpoint files compared, byte by byte. */
  readonly files: number;
  /** Lines of metrics and samples compared; times left out. */
  readonly lines: number;
}

/** Compares two run folders in all that does not depend on the clock. */
export async function compareRuns(first: string, second: string): Promise<Comparison> {
  const names = [...new Set([...filesOf(first), ...filesOf(second)])].sort();
  const changed = names.filter((name) => {
    const [a, b] = [contentOf(join(first, name)), contentOf(join(second, name))];
    return a === null || b === null || !a.equals(b);
  });
  const logs = [runFiles.metrics, runFiles.samples].map((name) => ({
    name,
    a: linesOf(join(first, name)),
    b: linesOf(join(second, name)),
  }));
  const unequal = logs.flatMap(({ name, a, b }) => [
    ...(a.length === b.length ? [] : [`${name} has ${a.length} lines without interruption, ${b.length} with`]),
    // Behind the first one that is missing or extra, all differ.
    ...a.flatMap((line, i) => (b[i] === undefined || b[i] === line ? [] : [`${name} line ${i + 1}: ${line} became ${b[i]}`])).slice(0, 1),
  ]);
  return {
    differences: [...changed.map((name) => `${name} has other bytes`), ...unequal],
    files: names.length,
    lines: logs.reduce((sum, { a }) => sum + a.length, 0),
  };
}

function filesOf(run: string): readonly string[] {
  const room = join(run, runFiles.checkpoints);
  return readdirSync(room, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(run, join(entry.parentPath, entry.name)));
}

function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

const clocks: ReadonlySet<string> = new Set(["stepMs", "tokensPerSecond", "ms"]);

function linesOf(path: string): readonly string[] {
  const lines = (contentOf(path)?.toString("utf8") ?? "").split("\n").filter((line) => line !== "");
  return lines.map((line) =>
    JSON.stringify(JSON.parse(line) as StepRecord, (key, value: unknown) => (clocks.has(key) ? undefined : value)),
  );
}
