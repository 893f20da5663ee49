import { stderr, stdout } from "node:process";
import { EitpError, exitCodeOf } from "@eitp/engine/error";
import { coloured, toJson } from "./output.ts";

/** Says what went wrong, once and without a stack (EITP_DEBUG=1 shows it), and returns the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const code = EitpError.is(error) ? error.code : "internal";
  const message = messageOf(error);
  if (json) stderr.write(`${toJson({ error: { code, message } })}\n`);
  else stderr.write(`${coloured("31", code === "interrupted" ? "interrupted:" : "error:", stderr)} ${message}\n`);
  if (process.env["EITP_DEBUG"] === "1") stderr.write(`${stackOf(error)}\n`);
  return exitCodeOf(error);
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (EitpError.is(error)) return message;
  const advice = "This is unexpected: run it again with EITP_DEBUG=1 and report the output, with what `eitp doctor` says.";
  return `${message}\n${advice}`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? `${error.stack}` : `${error.stack}\ncaused by ${stackOf(error.cause)}`;
}

let onClosed: () => void = () => process.exit(0);

/**
 * When the reader of stdout goes away (`| head`), the command ends with exit code 0 and without a word; what `instead` is set to happens
 * instead, for a command that has something to save first.
 */
export function whenOutputCloses(instead: () => void): void {
  onClosed = instead;
}

/** Listens for closed pipes; once per process. */
export function guardPipes(): void {
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: Error) => {
      if ("code" in error && error.code === "EPIPE") {
        if (stream === stdout) onClosed();
        return;
      }
      const name = stream === stdout ? "standard output" : "standard error";
      const problem = new EitpError("io", `${name} cannot be written to: ${error.message}. Is the disk full?`, { cause: error });
      process.exit(reportError(problem, process.argv.includes("--json")));
    });
  }
}
