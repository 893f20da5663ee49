import { EitpError } from "@eitp/engine/error";
import { errnoOf } from "./input-error.ts";

const full: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Runs one operation on the disk.
 * @throws EitpError "io" in place of whatever the system reports, naming the path.
 */
export async function onDisk<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    const reason = error instanceof Error ? error.message : code;
    const advice = full.has(code) ? "Free some space (or raise the limit) and run it again" : "Check that the folder can be written to";
    const what = full.has(code) ? `There is no room on the disk for ${path}` : `${path} cannot be written`;
    throw new EitpError("io", `${what} (${reason}). ${advice}; nothing half-written was left behind.`, { cause: error });
  }
}
