import { errnoOf, ioError } from "@eitp/core/node";

/**
 * Runs one operation on the disk.
 * @throws EitpError "io" in place of whatever the system reports, naming the path and what to do; errors that are not the system's pass as they are.
 */
export async function onDisk<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw errnoOf(error) === "" ? error : ioError(error, { action: "pack text", path });
  }
}
