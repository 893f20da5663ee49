import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** The system calls that change the disk, as a value: tests fail or stop at each of them in turn. */
export interface Calls {
  mkdir(path: string): Promise<void>;
  /** Creates the file, writes it and forces it to the disk. */
  writeDurably(path: string, bytes: Uint8Array): Promise<void>;
  /** Forces the entries of a folder to the disk. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  names(path: string): Promise<readonly string[]>;
}

export const nodeCalls: Calls = {
  async mkdir(path) {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) return;
    // A new folder exists for certain once the entry in its parent is on the disk, and so on for every folder made on the way.
    for (let made = resolve(path); made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  },
  async writeDurably(path, bytes) {
    const file = await open(path, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  syncFolder,
  rename,
  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },
  names: (path) => readdir(path),
};

/** Forces the entries of a folder to the disk: a file made or renamed in it is there after a power cut only once this is done. */
export async function syncFolder(path: string): Promise<void> {
  // Windows can neither open a folder nor needs to: its directory entries are journaled with the rename.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
