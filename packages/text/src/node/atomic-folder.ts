import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errnoOf, syncFolder } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import { onDisk } from "./write-error.ts";

/**
 * Fills a folder so that it appears whole or not at all: `fill` writes into a temporary neighbour, which is then synced and renamed.
 * A folder of that name is replaced only if all it holds is ours: a slip of the path must not cost anybody anything else. Whatever goes wrong, the
 * temporary folder is removed.
 * @param ours - Names this kind of folder may hold.
 * @throws EitpError "usage" where the folder holds something else; "io" where the disk refuses.
 */
export async function atomicFolder<T>(folder: string, ours: RegExp, fill: (temporary: string) => Promise<T>): Promise<T> {
  const target = resolve(folder);
  await refuseForeign(target, ours);
  const parent = dirname(target);
  await onDisk(parent, () => mkdir(parent, { recursive: true }));
  const temporary = await onDisk(parent, () => mkdtemp(join(parent, `.${basename(target)}-`)));
  try {
    const result = await fill(temporary);
    await onDisk(target, () => replace(temporary, target));
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function refuseForeign(target: string, ours: RegExp): Promise<void> {
  const foreign = (await entries(target)).filter((name) => !ours.test(name));
  if (foreign.length === 0) return;
  throw new EitpError("usage", `${target} already holds other files (${foreign.slice(0, 3).join(", ")}, …). Choose a new or empty folder.`);
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw new EitpError("usage", `${folder} cannot be used as a folder (${errnoOf(error)}). Choose another name.`, { cause: error });
  }
}

async function replace(temporary: string, target: string): Promise<void> {
  await syncFolder(temporary);
  // A rename cannot replace a folder with files in it, so the old one steps aside into the temporary one's neighbourhood first.
  const old = `${temporary}.old`;
  const occupied = (await entries(target)).length > 0;
  if (occupied) await rename(target, old);
  try {
    await rename(temporary, target);
  } catch (error) {
    if (occupied) await rename(old, target);
    throw error;
  }
  await syncFolder(dirname(target));
  await rm(old, { recursive: true, force: true });
}

/** Size in bytes of a file, or undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
