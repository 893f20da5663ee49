import type { Entry } from "./problem.ts";

/** The options of commands that take a configuration, as commander gives them. */
export interface ConfigFlags {
  readonly config?: string;
  readonly set: readonly string[];
  readonly data?: readonly string[];
  readonly field?: string;
  readonly tokenizer?: string;
  readonly from?: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly backend?: string;
  readonly replaceInvalid?: boolean;
  readonly out?: string;
}

const keys: { readonly [flag in keyof ConfigFlags]?: readonly string[] } = {
  data: ["data", "inputs"],
  field: ["data", "field"],
  tokenizer: ["data", "tokenizer"],
  from: ["model", "from"],
  steps: ["training", "steps"],
  seed: ["training", "seed"],
  backend: ["backend"],
  replaceInvalid: ["data", "replaceInvalid"],
  out: ["out"],
};

/** Flags as values of the configuration. */
export function flagEntries(flags: ConfigFlags): readonly Entry[] {
  return (Object.keys(keys) as (keyof ConfigFlags)[]).flatMap((flag) => {
    const value = flags[flag];
    const path = keys[flag];
    if (value === undefined || path === undefined) return [];
    const word = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [{ path, value, place: `--${word} ${String(value)}` }];
  });
}
