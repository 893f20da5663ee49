import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { ioError } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import { flatten } from "./flatten.ts";
import type { Layer } from "./problem.ts";
import { parseText } from "./text.ts";

const textual: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);
const programs: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs", ".cjs", ".cts"]);

/**
 * The values of a configuration file with the place of each.
 * @throws EitpError "usage" where there is no such file or its ending is unknown, "io" where it cannot be read.
 */
export async function fileLayer(path: string): Promise<Layer> {
  if (!existsSync(path)) {
    throw new EitpError("usage", `There is no configuration file ${path} (looked from ${process.cwd()}). Check --config.`);
  }
  if (statSync(path).isDirectory()) {
    throw new EitpError("usage", `--config ${path} is a folder; expected a file ending in .yaml, .json or .ts.`);
  }
  const extension = extname(path).toLowerCase();
  if (textual.has(extension)) return parseText(readText(path), path, extension === ".json");
  if (programs.has(extension)) return programLayer(path);
  throw new EitpError("usage", `${path}: a configuration file ends in .yaml, .yml, .json, .ts, .mts, .js or .mjs.`);
}

function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof TypeError) throw new EitpError("usage", `${path} is not UTF-8 text. Save it as UTF-8.`, { cause: error });
    throw ioError(error, { action: "read the configuration", path });
  }
}

async function programLayer(path: string): Promise<Layer> {
  const { loadConfig } = await import("c12");
  let value: unknown;
  try {
    const loaded = await loadConfig({
      configFile: resolve(path),
      rcFile: false,
      globalRc: false,
      dotenv: false,
      packageJson: false,
      envName: false,
      extend: false,
    });
    value = loaded.config;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EitpError("usage", `${path} cannot be run: ${reason}. It must export an object as its default.`, { cause: error });
  }
  const source = readText(path);
  const given = typeof value === "object" && value !== null ? flatten(value, path) : [];
  // c12 reserves keys that begin with $ for its own layers.
  const entries = given.filter((entry) => !entry.path.some((key) => key.startsWith("$")));
  return { entries: entries.map((entry) => ({ ...entry, place: `${path}${placeIn(source, entry.path)}` })), problems: [] };
}

/** Where a program most likely writes a key: each part of the path after the one before. Empty where that finds nothing. */
function placeIn(source: string, path: readonly string[]): string {
  let at = 0;
  for (const key of path) {
    const found = new RegExp(`(?<![\\w$])["']?${key.replace(/\W/g, "\\$&")}["']?\\s*:`).exec(source.slice(at));
    if (found === null) return "";
    at += found.index + (path.at(-1) === key ? 0 : found[0].length);
  }
  const before = source.slice(0, at).split("\n");
  return `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/**
 * The `eitp.config.*` of a folder, if there is one.
 * @throws EitpError "usage" for several.
 */
export function findConfig(folder: string): string | undefined {
  const found = readdirSync(folder).filter((name) => /^eitp\.config\.(ya?ml|json|[mc]?[tj]s)$/.test(name));
  if (found.length > 1) {
    throw new EitpError("usage", `${folder} has ${found.length} configuration files: ${found.join(", ")}. Choose one with --config.`);
  }
  return found[0];
}
