import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { EitpError } from "@eitp/engine/error";
import { errnoOf, ioError } from "./io-error.ts";
import { birthOf, isAlive } from "./process.ts";

/** Who holds, or held, a run folder. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}
/** A run folder that is ours until `release`. */
export interface RunLock {
  readonly path: string;
  /** The dead process whose lock was taken over; worth a line to the user: that run did not end by itself. */
  readonly takenOver?: LockOwner;
  /** Gives the folder back; a second call does nothing. */
  release(): Promise<void>;
}

interface LockFile extends LockOwner {
  /** See `birthOf`: recognises a recycled process number. */
  readonly birth: string | null;
  readonly token: string;
}

const held = new Set<string>();

/**
 * Makes this process the only writer of a run folder, by `run.lock` in it. The lock of a process that died on this host is taken over;
 * that of another host never, since nobody here can tell whether it lives.
 * @param root - The run folder; made if missing.
 * @throws EitpError "busy" where a living process holds it: pid, host, since when, what to do; "io" where the disk refuses.
 * @example
 * ```ts
 * const lock = await lockRun("runs/nano");
 * try { await train(); } finally { await lock.release(); }
 * ```
 */
export async function lockRun(root: string): Promise<RunLock> {
  const path = join(resolve(root), "run.lock");
  try {
    await mkdir(root, { recursive: true });
    return await acquire(path);
  } catch (error) {
    throw ioError(error, { action: "lock the run folder", path });
  }
}

async function acquire(path: string): Promise<RunLock> {
  const mine: LockFile = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    birth: birthOf(process.pid),
    token: randomUUID(),
  };
  let takenOver: LockOwner | undefined;
  // Each round either creates the file, clears a dead one, or ends in an error; two rounds unless others compete.
  for (let round = 0; round < 20; round += 1) {
    if (await create(path, mine)) return lockOf(path, mine, takenOver);
    const other = await readLock(path);
    if (other === undefined) continue;
    if (other !== "torn" && isHeld(path, other)) throw busy(path, other);
    if (await clear(path, other)) takenOver = other === "torn" ? takenOver : { pid: other.pid, host: other.host, since: other.since };
  }
  throw new EitpError("busy", `Several processes compete for ${path}. Start one run per folder, then try again.`);
}

async function create(path: string, content: LockFile): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(JSON.stringify(content));
      await file.sync();
    } finally {
      await file.close();
    }
    held.add(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** "torn" where its process died between creating and filling the file; a living one fills it within a moment, so look again first. */
async function readLock(path: string): Promise<LockFile | "torn" | undefined> {
  for (let look = 0; look < 10; look += 1) {
    try {
      const lock = parseLock(await readFile(path, "utf8"));
      if (lock !== undefined) return lock;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
    await setTimeout(50);
  }
  return "torn";
}

function parseLock(text: string): LockFile | undefined {
  if (!text.endsWith("}")) return undefined;
  const { pid, host, since, birth, token }: Partial<LockFile> = JSON.parse(text);
  if (typeof pid !== "number" || typeof host !== "string" || typeof since !== "string" || typeof token !== "string") return undefined;
  return { pid, host, since, token, birth: birth ?? null };
}

function isHeld(path: string, { pid, host, birth }: LockFile): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(path);
  if (!isAlive(pid)) return false;
  const now = birthOf(pid);
  return birth === null || now === null || birth === now;
}

/**
 * Removes a dead lock; false where somebody else is at it. Of several that saw the same dead lock, the slowest must not remove the
 * lock that the fastest has just taken: whoever removes holds a guard file and looks again under it.
 */
async function clear(path: string, dead: LockFile | "torn"): Promise<boolean> {
  const guard = `${path}.takeover`;
  if (!(await createGuard(guard))) {
    await setTimeout(20);
    return false;
  }
  try {
    const now = await readLock(path);
    const same = now === "torn" || dead === "torn" ? now === dead : now?.token === dead.token;
    if (same) await rm(path);
    return same;
  } finally {
    await rm(guard, { force: true });
  }
}

/** A guard is held for milliseconds; one that is seconds old belongs to a process that was killed there. */
async function createGuard(guard: string): Promise<boolean> {
  try {
    await (await open(guard, "wx")).close();
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  const made = await modifiedAt(guard);
  if (made !== undefined && Date.now() - made > 10_000) await rm(guard, { force: true });
  return false;
}

async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function lockOf(path: string, mine: LockFile, takenOver: LockOwner | undefined): RunLock {
  return {
    path,
    ...(takenOver && { takenOver }),
    async release() {
      if (!held.delete(path)) return;
      const now = await readLock(path);
      if (now !== undefined && now !== "torn" && now.token === mine.token) await rm(path);
    },
  };
}

function busy(path: string, { pid, host, since }: LockOwner): EitpError {
  const here = host === hostname();
  return new EitpError(
    "busy",
    `This run folder is in use by process ${pid} on ${host} since ${since} (${path}). ` +
      (here
        ? "Wait for it, stop it, or choose another folder."
        : `Wait for it or choose another folder; if you know that nothing runs on ${host} any more, delete that file.`),
  );
}
