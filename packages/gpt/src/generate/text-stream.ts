/** Turns tokens into text that may be shown at once. */
export interface TextStream {
  /** Text that this token makes safe to show, and whether a stop string was completed (then it and what follows are cut off). */
  push(token: number): { readonly text: string; readonly stopped: boolean };
  /** What was held back; call at the end of a text that no stop string ended. */
  flush(): string;
}

/** Tokens decoded again each time; more are dropped once they no longer matter. */
const keptTokens = 32;

/**
 * Two things are held back: a trailing U+FFFD, which the next token may complete to a character (one incomplete UTF-8 sequence decodes to
 * exactly one), and a suffix that may be the beginning of a stop string.
 */
export function textStream(decode: (tokens: readonly number[]) => string, stops: readonly string[]): TextStream {
  let window: readonly number[] = [];
  let done = 0; // characters of the window's text that were handed on
  let held = "";

  const advance = (token: number): string => {
    window = [...window, token];
    const text = decode(window);
    const fresh = text.slice(done, complete(text));
    done = complete(text);
    if (window.length >= 2 * keptTokens) {
      // Keeps decoding linear in the length of the text. A character cut in two here stays broken in the same way, and counts as done.
      window = window.slice(-keptTokens);
      done = complete(decode(window));
    }
    return fresh;
  };

  return {
    push(token) {
      held += advance(token);
      const at = firstStop(held, stops);
      if (at >= 0) {
        const text = held.slice(0, at);
        held = "";
        return { text, stopped: true };
      }
      const safe = held.length - heldBack(held, stops);
      const text = held.slice(0, safe);
      held = held.slice(safe);
      return { text, stopped: false };
    },
    flush() {
      const rest = held + decode(window).slice(done);
      held = "";
      done = Infinity;
      return rest;
    },
  };
}

/** Length without a trailing U+FFFD. */
function complete(text: string): number {
  return text.endsWith("\ufffd") ? text.length - 1 : text.length;
}

/** Where the first stop string begins, or −1. */
function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** Length of the longest suffix that a stop string begins with, none being complete. */
function heldBack(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const suffix = text.slice(-length);
    if (stops.some((stop) => stop.startsWith(suffix))) return length;
  }
  return 0;
}
