import { open, readFile } from "node:fs/promises";
import { errnoOf, ioError } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";

const newline = 0x0a;

/** The content of a file, or `undefined` where there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw ioError(error, { action: "read a file", path });
  }
}

export function isMissing(error: unknown): boolean {
  return errnoOf(error) === "ENOENT";
}

/** Calls `visit` for every line that ends in a newline; returns the bytes after the last one (a line torn by a kill). */
export function eachLine(bytes: Buffer, visit: (line: string, number: number, start: number, end: number) => void): number {
  let start = 0;
  for (let number = 1; ; number += 1) {
    const end = bytes.indexOf(newline, start);
    if (end < 0) return bytes.length - start;
    visit(bytes.toString("utf8", start, end), number, start, end + 1);
    start = end + 1;
  }
}

/** Cuts a last line that has no newline: the process was killed while writing it. A missing file is fine. Returns the bytes cut. */
export async function repairTail(path: string): Promise<number> {
  try {
    const file = await open(path, "r+");
    try {
      const { size } = await file.stat();
      const keep = await endOfLastLine(file, size);
      if (keep < size) await file.truncate(keep);
      return size - keep;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return 0;
    throw ioError(error, { action: "repair the last line of a file", path });
  }
}

type Reader = Pick<Awaited<ReturnType<typeof open>>, "read">;

/** Offset just after the last newline, looking backwards a block at a time. */
async function endOfLastLine(file: Reader, size: number): Promise<number> {
  const block = Buffer.alloc(64 * 1024);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    if (bytesRead !== end - start) throw new EitpError("busy", "The file changed while it was read: does another process write to it?");
    const at = block.lastIndexOf(newline, bytesRead - 1);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
