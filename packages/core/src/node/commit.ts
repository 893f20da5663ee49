import { dirname, join } from "node:path";
import { EitpError } from "@eitp/engine/error";
import type { Calls } from "./calls.ts";
import { afterCleanup, ioError } from "./io-error.ts";
import { discard, tidy, withNames } from "./leftovers.ts";
import { isReserved } from "./paths.ts";

/**
 * Writes a folder so that at every instant either the old or the new one is complete and found by readers:
 * files into `.tmp-…`, each forced to disk; the old folder renamed to `.old-…`; the new one renamed into place; both renames forced to disk;
 * the old one removed. Readers take `.old-…` while the name itself is missing, and the next writer puts it back.
 */
export async function commitFolder(
  parent: string,
  name: string,
  files: { readonly [name: string]: Uint8Array },
  calls: Calls,
): Promise<void> {
  const entries = Object.entries(files);
  for (const [file] of entries) checkFileName(file, name);
  const bytes = entries.reduce((sum, [, content]) => sum + content.byteLength, 0);
  const target = join(parent, name);
  const context = { action: "save a folder", path: target, bytes };

  try {
    await calls.mkdir(parent);
    await tidy(parent, calls);
  } catch (error) {
    throw ioError(error, context);
  }
  await withNames(name, async (temporaryName, asideName) => {
    const temporary = join(parent, temporaryName);
    const aside = join(parent, asideName);
    try {
      await calls.mkdir(temporary);
      for (const [file, content] of entries) await calls.writeDurably(join(temporary, file), content);
      await calls.syncFolder(temporary);
      const replaces = (await calls.names(parent)).includes(name);
      if (replaces) await calls.rename(target, aside);
      await moveIn(temporary, target, replaces ? aside : undefined, calls);
      if (replaces) await discard(aside, calls);
    } catch (error) {
      throw await afterCleanup(error, context, () => calls.remove(temporary));
    }
  });
}

/** The swap: on failure the new folder goes back to its temporary name and the old one to its place. */
async function moveIn(temporary: string, target: string, aside: string | undefined, calls: Calls): Promise<void> {
  let moved = false;
  try {
    await calls.rename(temporary, target);
    moved = true;
    await calls.syncFolder(dirname(target));
  } catch (error) {
    if (moved) await calls.rename(target, temporary);
    if (aside !== undefined) await calls.rename(aside, target);
    throw error;
  }
}

function checkFileName(file: string, folder: string): void {
  if (file !== "" && file !== "." && file !== ".." && !/[/\\\0]/.test(file) && !isReserved(file)) return;
  throw new EitpError("usage", `${JSON.stringify(file)} is not a file name: a commit of ${folder} takes plain names without "/" or "..".`);
}
