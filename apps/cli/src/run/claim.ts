import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ioError } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import { runFiles } from "./folder.ts";

/**
 * Refuses to mix a new run with what a folder holds. Call it while holding the lock.
 * @param overwrite - Replace a run. Only what runs write is ever removed: with anything else in the folder, a dot file included, it is refused,
 * because a slip of the path must not cost a home folder.
 * @returns Removes what is in the way: for later, when all that can be checked beforehand is known to be right.
 * @throws EitpError "usage" with advice.
 */
export async function claimFolder(folder: string, overwrite: boolean): Promise<() => Promise<void>> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith("run.lock"));
  const holdsRun = names.includes(runFiles.run);
  // People have folders named data and files named config.json, too. A run writes its tokenizer first, and packs text when run.json is there.
  const known = holdsRun ? written : names.includes(runFiles.tokenizer) ? written.filter((name) => name !== runFiles.data) : [];
  const foreign = names.filter((name) => !known.includes(name) && !isTemporary(name));
  if (foreign.length > 0) {
    const some = foreign.slice(0, 5).join(", ") + (foreign.length > 5 ? ", …" : "");
    const besides = holdsRun ? "holds more than a run" : "is not empty and holds no run";
    throw new EitpError("usage", `${folder} ${besides} (${some}); nothing was touched. Choose another folder with --out.`);
  }
  const began = names.includes(runFiles.metrics) || names.includes(runFiles.checkpoints);
  if (holdsRun && began && !overwrite) {
    throw new EitpError(
      "usage",
      `${folder} already holds a run. Go on with \`eitp resume ${folder}\`, choose another --out, or replace it with --overwrite.`,
    );
  }
  // What a run leaves that ended before its first step is nobody's loss.
  return async () => {
    for (const name of names) await rm(join(folder, name), { recursive: true });
  };
}

const written: readonly string[] = Object.values(runFiles);

/** Names of the stores for work in progress; see `withNames` of core and `atomicFolder` of text. */
function isTemporary(name: string): boolean {
  return /^\.(tmp|old)-.+~\d+~\d+$/.test(name) || /^\.data-[A-Za-z0-9]{6}(\.old)?$/.test(name);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw ioError(error, { action: "look into the run folder", path: folder });
  }
}
