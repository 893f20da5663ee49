import { basename, dirname, join } from "node:path";
import { type Calls, nodeCalls } from "./calls.ts";
import { afterCleanup } from "./io-error.ts";
import { withNames } from "./leftovers.ts";

/**
 * Replaces one file: readers see the old or the new content, never a part. Written beside it, forced to disk, renamed over.
 * @param content text is written as UTF-8; folders on the way are made.
 * @throws EitpError "io" where the disk refuses; the old file is then intact.
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await replaceFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content, nodeCalls);
}

/** {@link writeFileAtomically}, with the system calls as a value. */
export async function replaceFile(path: string, bytes: Uint8Array, calls: Calls): Promise<void> {
  const parent = dirname(path);
  await withNames(basename(path), async (temporaryName) => {
    const temporary = join(parent, temporaryName);
    try {
      await calls.mkdir(parent);
      await calls.writeDurably(temporary, bytes);
      await calls.rename(temporary, path);
      await calls.syncFolder(parent);
    } catch (error) {
      const context = { action: "write a file", path, bytes: bytes.byteLength };
      throw await afterCleanup(error, context, () => calls.remove(temporary));
    }
  });
}
