/**
 * What went wrong, in one word; the command line maps it to an exit code (see {@link exitCodeOf}).
 * "usage": wrong arguments or configuration. "data": unreadable or unfit input. "unavailable": a backend or service is missing.
 * "internal": our bug. "nonFinite": NaN or infinity in a run. "io": the disk or a pipe. "busy": try again. "interrupted": a signal.
 */
export type ErrorCode = "usage" | "data" | "unavailable" | "internal" | "nonFinite" | "io" | "busy" | "interrupted";

const marker: unique symbol = Symbol.for("eitp.error");
const exitCodes: Readonly<Record<ErrorCode, number>> = {
  usage: 64,
  data: 65,
  unavailable: 69,
  internal: 70,
  nonFinite: 70,
  io: 74,
  busy: 75,
  interrupted: 130,
};

/**
 * The one error users meet. The message says what was expected, what came, where, and what to do.
 * @example
 * ```ts
 * import { EitpError } from "@eitp/engine/error";
 * const error = new EitpError("data", "corpus.txt is empty; expected at least 65 tokens. Give a longer file.");
 * ```
 */
export class EitpError extends Error {
  override readonly name = "EitpError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, marker, { value: true });
  }

  /** True for errors of any installed copy of this class: recognised by a registered symbol, not by identity. */
  static is(error: unknown): error is EitpError {
    return typeof error === "object" && error !== null && marker in error;
  }
}

/** The documented exit code of an error: 64 to 75 as in sysexits.h, 130 for a signal, 70 for anything that is not an {@link EitpError}. */
export function exitCodeOf(error: unknown): number {
  return EitpError.is(error) ? exitCodes[error.code] : exitCodes.internal;
}

/** Internal invariant: a failure is our bug, not the user's. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new EitpError("internal", `${message} (this is a bug in EIT-P)`);
}
