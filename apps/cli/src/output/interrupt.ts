import type { Output } from "./output.ts";

/** An interruption asked for by SIGINT or SIGTERM, or by a reader that went away. */
export interface Interruption {
  readonly signal: AbortSignal;
  abort(): void;
  /** Signals have their usual effect again. */
  release(): void;
}

/** The first SIGINT or SIGTERM aborts the signal and says `what` happens now; the second ends the process at once. Exit code 130 either way. */
export function interruptible(output: Output, what: string): Interruption {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
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
