import type { Output } from "./output.ts";

/** An interruption asked for by SIGINT or SIGTERM, or by a reader that went away. */
export interface Interruption {
  readonly signal: AbortSignal;
  abort(): void;
  /** Signals have their usual effect again. */
  release(): void;
}

/** One press of Ctrl-C under npm arrives twice: from the terminal, and passed on by npm. */
const samePressMs = 300;

/** The first SIGINT or SIGTERM aborts the signal and says `what` happens now; the second ends the process at once. Exit code 130 either way. */
export function interruptible(output: Output, what: string): Interruption {
  const controller = new AbortController();
  let first = Number.POSITIVE_INFINITY;
  const onSignal = (name: NodeJS.Signals): void => {
    const now = performance.now();
    if (now - first > samePressMs) process.exit(130);
    if (first !== Number.POSITIVE_INFINITY) return;
    first = now;
    output.note(`\n${name}: ${what} Press Ctrl-C again to stop at once.`);
    controller.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    release: () => {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
