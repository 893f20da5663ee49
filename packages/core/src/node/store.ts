import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Store } from "../spec/platform.ts";
import { type Calls, nodeCalls } from "./calls.ts";
import { commitFolder } from "./commit.ts";
import { errnoOf, ioError } from "./io-error.ts";
import { asideOf, discard, tidy, visible } from "./leftovers.ts";
import { partsOf, splitPath } from "./paths.ts";

/** A folder on disk as a {@link Store}. Reading changes nothing, so another process may read while this one commits. */
export function nodeStore(root: string, calls: Calls = nodeCalls): Store {
  const base = resolve(root);
  // One writer at a time: two commits of one name would otherwise find each other's half-done renames.
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const run = last.then(work);
    // The queue goes on after a failure, which its own caller receives.
    last = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  };

  return {
    async read(path) {
      const bytes = await orNothing(base, partsOf(path, base), (place) => readFile(place));
      return bytes === undefined ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    async list(folder) {
      const names = await orNothing(base, partsOf(folder, base), (place) => readdir(place));
      return visible(names ?? []);
    },
    async commit(folder, files) {
      const { parent, name } = splitPath(folder, base);
      await inTurn(() => commitFolder(parent, name, files, calls));
    },
    async remove(folder) {
      const { parent, name } = splitPath(folder, base);
      await inTurn(() => removeFolder(parent, name, calls));
    },
  };
}

async function removeFolder(parent: string, name: string, calls: Calls): Promise<void> {
  try {
    // First, so that a folder set aside by a process that died does not come back once its successor is gone.
    await tidy(parent, calls);
    await discard(join(parent, name), calls);
    await calls.syncFolder(parent);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw ioError(error, { action: "remove a folder", path: join(parent, name) });
  }
}

/** Runs `use` at the path, or at the folder set aside while its successor is missing; `undefined` where neither exists. */
async function orNothing<T>(base: string, parts: readonly string[], use: (place: string) => Promise<T>): Promise<T | undefined> {
  const direct = join(base, ...parts);
  // A commit in another process may finish between two looks: the third look finds what the first two just missed.
  for (const look of ["direct", "aside", "direct"] as const) {
    const place = look === "direct" ? direct : await withAsides(base, parts);
    try {
      return await use(place);
    } catch (error) {
      if (!["ENOENT", "ENOTDIR"].includes(errnoOf(error))) throw ioError(error, { action: "read", path: direct });
    }
  }
  return undefined;
}

async function withAsides(base: string, parts: readonly string[]): Promise<string> {
  let place = base;
  for (const part of parts) {
    const names = await namesOf(place);
    place = join(place, names.includes(part) ? part : (asideOf(part, names) ?? part));
  }
  return place;
}

async function namesOf(place: string): Promise<readonly string[]> {
  try {
    return await readdir(place);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error))) return [];
    throw ioError(error, { action: "list a folder", path: place });
  }
}
