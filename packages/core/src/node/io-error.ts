import { EitpError } from "@eitp/engine/error";

/** What was being done when the operating system refused. */
export interface IoContext {
  /** In the infinitive: "write the checkpoint". */
  readonly action: string;
  readonly path: string;
  /** How much was to be written, where that is known. */
  readonly bytes?: number;
}

const advice: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free space or choose another folder, then resume.",
  EDQUOT: "Your disk quota is used up: free space or choose another folder, then resume.",
  EFBIG: "The file would be larger than this file system or user may write: raise the limit (ulimit -f) or choose another folder.",
  EIO: "The disk reports a hardware or network fault: copy the folder elsewhere and check the system log (dmesg).",
  EACCES: "This user may not do that there: check owner and permissions of the folder, or choose another.",
  EPERM: "This user may not do that there: check owner and permissions of the folder, or choose another.",
  EROFS: "The file system is read-only: choose another folder.",
  EMFILE: "This process has too many open files: raise the limit (ulimit -n).",
  EEXIST: "A file of that name is in the way: choose another folder.",
  ENOTDIR: "A part of the path is a file, not a folder: choose another folder.",
};

/** The `code` of a Node system error ("ENOENT"), or "" for anything else. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/**
 * A failed system call as an {@link EitpError} "io" that names path, size and what to do. An error that already is one passes through.
 * @example
 * ```ts
 * throw ioError(error, { action: "append a metrics line", path: "run/metrics.jsonl", bytes: 120 });
 * ```
 */
export function ioError(error: unknown, { action, path, bytes }: IoContext): EitpError {
  if (EitpError.is(error)) return error;
  const code = errnoOf(error);
  const size = bytes === undefined ? "" : ` (${bytes} bytes)`;
  const reason = error instanceof Error ? error.message : String(error);
  return new EitpError(
    "io",
    `Could not ${action} at ${path}${size}: ${reason}. ${advice[code] ?? "Check that the folder exists and can be used."}`,
    {
      cause: error,
    },
  );
}

/** Cleans up after a failure and returns the failure; a clean-up that fails too is told in the same message, not instead of it. */
export async function afterCleanup(error: unknown, context: IoContext, cleanup: () => Promise<void>): Promise<EitpError> {
  const first = ioError(error, context);
  try {
    await cleanup();
    return first;
  } catch (second) {
    const reason = second instanceof Error ? second.message : String(second);
    return new EitpError(first.code, `${first.message} Temporary files may be left there (${reason}); the next save removes them.`, {
      cause: error,
    });
  }
}
