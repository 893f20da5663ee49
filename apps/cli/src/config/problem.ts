import { EitpError } from "@eitp/engine/error";

/** One thing that is wrong in a configuration. */
export interface Problem {
  /** "eitp.yaml:3:9", "--set model.width=65", "EITP_MODEL__WIDTH" or "default". */
  readonly place: string;
  /** Dotted; absent for a file that cannot be parsed. */
  readonly key?: string;
  readonly expected: string;
  readonly found: string;
  readonly advice: string;
}

/** A value given somewhere. */
export interface Entry {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly place: string;
}
/** What one source of configuration gives. */
export interface Layer {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

/** All problems at once, as the error "usage". */
export function configError(problems: readonly Problem[]): EitpError {
  const lines = problems.map(({ place, key, expected, found, advice }) => {
    const what = `${key === undefined ? "" : `${key}: `}expected ${expected}, found ${found}.`;
    return `${place}: ${what} ${advice}`.trimEnd();
  });
  const head = problems.length === 1 ? "The configuration has a problem:" : `The configuration has ${problems.length} problems:`;
  return new EitpError("usage", [head, ...lines.map((line) => `  ${line}`)].join("\n"));
}

/** A value as it is shown in a message. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
