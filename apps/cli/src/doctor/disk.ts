import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "@eitp/core/node";
import { formatBytes } from "../output/format.ts";
import { type Check, messageOf } from "./check.ts";

/** Below this a checkpoint of GPT-2 Small (parameters and two moments) no longer fits twice. */
const comfortable = 4 * 2 ** 30;

/** Free space of a folder, and a file written, forced to the disk and removed again. */
export async function diskCheck(folder: string): Promise<Check> {
  const path = join(folder, `.eitp-doctor-${process.pid}`);
  try {
    const { bavail, bsize } = await statfs(folder);
    const begin = performance.now();
    await writeFileAtomically(path, new Uint8Array(2 ** 20));
    const ms = performance.now() - begin;
    await rm(path);
    const free = bavail * bsize;
    const found = `${formatBytes(free)} free in ${folder}; 1 MiB written and synced in ${ms.toFixed(0)} ms`;
    return free < comfortable
      ? { name: "disk", state: "ok", found, advice: "Large models need several GiB for their checkpoints." }
      : { name: "disk", state: "ok", found };
  } catch (error) {
    return {
      name: "disk",
      state: "broken",
      found: messageOf(error),
      advice: "Runs need a folder that can be written to; choose one with --out.",
    };
  }
}
