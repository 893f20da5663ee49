import { fileLayer, findConfig } from "./file.ts";
import { problemsOf } from "./issues.ts";
import { merge } from "./merge.ts";
import { configError, type Entry, type Layer } from "./problem.ts";
import { ruleProblems } from "./rules.ts";
import { configSchema } from "./schema.ts";
import type { Config } from "./types.ts";
import { environmentLayer, setLayer } from "./words.ts";

/** Everything a configuration is made of, weakest first: defaults, file, environment, `--set`, flags. */
export interface Sources {
  /** Path of a file; absent: the `eitp.config.*` of `folder`, if there is one. */
  readonly file?: string;
  readonly folder?: string;
  readonly environment?: { readonly [name: string]: string | undefined };
  readonly set?: readonly string[];
  /** Values of command-line flags with the flag as typed. */
  readonly flags?: readonly Entry[];
}
export interface Loaded {
  readonly config: Config;
  /** The file that was read, also one that was found. */
  readonly file: string | null;
}

/**
 * Reads, merges and checks a configuration.
 * @throws EitpError "usage" with every problem at once, each with place, key, what was expected, what was found and what to do.
 */
export async function loadConfiguration(sources: Sources): Promise<Loaded> {
  const { environment = {}, set = [], flags = [] } = sources;
  const file = sources.file ?? (sources.folder === undefined ? undefined : findConfig(sources.folder));
  const fromFile: Layer = file === undefined ? { entries: [], problems: [] } : await fileLayer(file);
  const layers = [fromFile, environmentLayer(environment), setLayer(set), { entries: flags, problems: [] }];
  const early = layers.flatMap((layer) => layer.problems);

  const merged = merge(layers.map((layer) => layer.entries));
  const parsed = configSchema.safeParse(merged.tree);
  const late = parsed.success ? ruleProblems(parsed.data, merged) : problemsOf(parsed.error.issues, merged);
  if (!parsed.success || early.length + late.length > 0) throw configError([...early, ...late]);
  return { config: parsed.data, file: file ?? null };
}
