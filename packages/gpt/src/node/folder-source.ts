import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ioError } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import type { FileSource } from "../files/file-source.ts";

/**
 * A folder on disk, read in pieces.
 * @throws (its methods) EitpError "io" naming the path and what to do
 */
export function folderSource(folder: string): FileSource {
  const at = async <T>(file: string, action: string, use: (path: string) => Promise<T>): Promise<T> => {
    const path = join(folder, file);
    try {
      return await use(path);
    } catch (error) {
      throw ioError(error, { action, path });
    }
  };
  return {
    name: folder,
    list: () => at("", "list a model folder", (path) => readdir(path)),
    size: (file) => at(file, "read", async (path) => (await stat(path)).size),
    read: (file, begin, end) => at(file, "read", (path) => readRange(path, begin, end)),
  };
}

async function readRange(path: string, begin: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - begin);
  const handle = await open(path, "r");
  try {
    // One call may return fewer bytes than asked for: Linux stops at 2 GiB.
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, begin + done);
      if (bytesRead === 0) throw new EitpError("io", `${path} ends at byte ${begin + done}, ${end} were expected: it is being changed.`);
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}
