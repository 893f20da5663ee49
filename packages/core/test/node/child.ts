import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));

/** A script as a process of its own, from source. */
export function start(script: URL, args: readonly string[]): ChildProcess {
  const node = ["--conditions=@eitp/source", "--import", "tsx", fileURLToPath(script), ...args];
  return spawn(process.execPath, node, { cwd: workspace, stdio: ["ignore", "pipe", "inherit"] });
}

/** Its lines of output; ends when it does. */
export function lines(child: ChildProcess): AsyncIterable<string> {
  if (child.stdout === null) throw new Error("the child has no stdout");
  return createInterface({ input: child.stdout });
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
