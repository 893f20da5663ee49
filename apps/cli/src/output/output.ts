import { stderr, stdout } from "node:process";

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/**
 * Where a command speaks. Results and records go to stdout, everything said along the way to stderr, so that results can be piped.
 * With `--json` everything on stdout is JSON.
 */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Said to people; nothing with --quiet. */
  note(text: string): void;
  /** Said also with --quiet. */
  warn(text: string): void;
  /** One JSON line on stdout. */
  line(value: object): void;
  /** Text on stdout, as it is. */
  text(text: string): void;
  /** What the command was run for: text for people, or with --json the value. */
  result(value: object, text: () => string): void;
}

export function output({ json = false, quiet = false }: OutputOptions): Output {
  const line = (value: object): void => {
    stdout.write(`${toJson(value)}\n`);
  };
  return {
    json,
    quiet,
    note: (text) => {
      if (!quiet) stderr.write(`${text}\n`);
    },
    warn: (text) => {
      stderr.write(`${coloured("33", "warning:", stderr)} ${text}\n`);
    },
    line,
    text: (text) => {
      stdout.write(text);
    },
    result: (value, text) => {
      if (json) line(value);
      else stdout.write(`${text().trimEnd()}\n`);
    },
  };
}

/** JSON that keeps NaN and the infinities, as strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => (typeof entry === "number" && !Number.isFinite(entry) ? String(entry) : entry));
}

/** @see https://no-color.org */
export function coloured(code: string, text: string, stream: { readonly isTTY?: boolean }): string {
  const wanted = stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
  return wanted ? `\u001b[${code}m${text}\u001b[0m` : text;
}
