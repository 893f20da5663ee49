import { execFile } from "node:child_process";
import { availableParallelism, freemem, totalmem } from "node:os";
import { promisify } from "node:util";
import { formatBytes } from "../output/format.ts";
import { mobyDickDocument } from "../run/corpus.ts";
import { type Check, messageOf } from "./check.ts";

export function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > 20 || (major === 20 && minor >= 19);
  const found = `${process.version}, ${availableParallelism()} cores, ${formatBytes(freemem())} of ${formatBytes(totalmem())} memory free`;
  if (enough) return { name: "Node", state: "ok", found };
  return { name: "Node", state: "broken", found, advice: "Install Node 20.19 or newer." };
}

export async function corpusCheck(): Promise<Check> {
  const name = "builtin:moby-dick";
  try {
    const { text } = await mobyDickDocument();
    return { name, state: "ok", found: `${formatBytes(Buffer.byteLength(String(text)))} of text` };
  } catch (error) {
    return { name, state: "broken", found: messageOf(error), advice: "Install again with `npm ci`." };
  }
}

/** git is optional: with it, `environment.json` records the commit of a run. */
export async function gitCheck(): Promise<Check> {
  try {
    const { stdout } = await promisify(execFile)("git", ["--version"]);
    return { name: "git", state: "ok", found: stdout.trim() };
  } catch (error) {
    const advice = "Optional: install git, and runs record the commit they were started from.";
    return { name: "git", state: "missing", found: messageOf(error), advice };
  }
}
