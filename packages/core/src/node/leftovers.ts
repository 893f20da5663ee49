import { join } from "node:path";
import type { Calls } from "./calls.ts";
import { asidePrefix, isReserved, temporaryPrefix } from "./paths.ts";
import { isAlive } from "./process.ts";

/** Names this process is working on now: a leftover with our own pid may still stem from an earlier process with the same number. */
const inProgress = new Set<string>();
let counter = 0;

/** Runs `work` with a reserved pair of names beside `name`, unique on this machine. */
export async function withNames(name: string, work: (temporary: string, aside: string) => Promise<void>): Promise<void> {
  counter += 1;
  const suffix = `${name}~${process.pid}~${counter}`;
  inProgress.add(suffix);
  try {
    await work(temporaryPrefix + suffix, asidePrefix + suffix);
  } finally {
    inProgress.delete(suffix);
  }
}

/** The folder that a reserved name stands for, and whether a living process is still at work on it. */
function parse(reserved: string): { readonly name: string; readonly busy: boolean } | undefined {
  const match = /^\.(?:tmp|old)-(.+)~(\d+)~\d+$/.exec(reserved);
  if (match === null) return undefined;
  const [, name = "", digits = ""] = match;
  const pid = Number(digits);
  const busy = pid === process.pid ? inProgress.has(reserved.slice(temporaryPrefix.length)) : isAlive(pid);
  return { name, busy };
}

/** Among the names of a folder, the one under which `name` was set aside, if any. */
export function asideOf(name: string, names: readonly string[]): string | undefined {
  return names.find((entry) => entry.startsWith(asidePrefix) && parse(entry)?.name === name);
}

/** What a reader sees: the names, and in place of a folder set aside whose successor is missing, that folder's own name. Sorted. */
export function visible(names: readonly string[]): readonly string[] {
  const seen = new Set(names.filter((name) => !isReserved(name)));
  for (const entry of names) {
    const aside = entry.startsWith(asidePrefix) ? parse(entry) : undefined;
    if (aside !== undefined) seen.add(aside.name);
  }
  return [...seen].sort();
}

/** Brings a folder back to rest after a process died in it: what was set aside returns if nothing replaced it; the remainder goes. */
export async function tidy(parent: string, calls: Calls): Promise<void> {
  const names = await calls.names(parent);
  const present = new Set(names);
  for (const entry of names) {
    const leftover = isReserved(entry) ? parse(entry) : undefined;
    if (leftover === undefined || leftover.busy) continue;
    const from = join(parent, entry);
    if (entry.startsWith(asidePrefix) && !present.has(leftover.name)) {
      await calls.rename(from, join(parent, leftover.name));
      present.add(leftover.name);
    } else {
      await discard(from, calls);
    }
  }
}

/** Removes a folder so that no half-removed remainder can ever be taken for the folder itself. */
export async function discard(path: string, calls: Calls): Promise<void> {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  const name = path.slice(cut);
  if (name.startsWith(temporaryPrefix)) return calls.remove(path);
  const bare = name.startsWith(asidePrefix) ? (parse(name)?.name ?? name.slice(asidePrefix.length)) : name;
  await withNames(bare, async (temporary) => {
    await calls.rename(path, path.slice(0, cut) + temporary);
    await calls.remove(path.slice(0, cut) + temporary);
  });
}
