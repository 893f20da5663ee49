import { errnoOf } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";

/** Turns a failure to read `path` into an error that says what to do; errors of ours pass as they are. */
export function unreadable(path: string, error: unknown): EitpError {
  if (EitpError.is(error)) return error;
  const code = errnoOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  if (code === "ENOENT") {
    const where = `There is no file or folder ${path} (looked from ${process.cwd()}).`;
    return new EitpError("data", `${where} Check the spelling, or give an absolute path.`, { cause: error });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new EitpError("data", `${path} may not be read by this user (${code}). Change its permissions or run as another user.`, {
      cause: error,
    });
  }
  return new EitpError("data", `${path} cannot be read: ${reason}. Check that it is an intact, readable file.`, { cause: error });
}
