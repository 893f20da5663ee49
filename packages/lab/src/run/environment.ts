import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseObject, textOf } from "./json.ts";
import { isMissing } from "./lines.ts";
import type { Environment, GitState } from "./types.ts";

const run = promisify(execFile);

/**
 * What this process runs on: Node, platform, processor, memory, package versions, git commit. No host or user name, so that a run folder
 * can be shared.
 * @param packages - Names whose installed versions are wanted; those that cannot be found are left out.
 * @param folder - Where packages and the git checkout are looked for; default the working directory.
 */
export async function environment(packages: readonly string[], folder: string = process.cwd()): Promise<Environment> {
  const found = await Promise.all(packages.map(async (name) => [name, await versionOf(name, folder)] as const));
  const versions = found.flatMap(([name, version]) => (version === undefined ? [] : [[name, version] as const]));
  return {
    schemaVersion: 1,
    node: process.version,
    platform: `${platform()} ${arch()} ${release()}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    packages: Object.fromEntries(versions),
    git: await gitStateOf(folder),
  };
}

/** Looks where Node would look, but reads `package.json` itself: a package's `exports` may hide it. */
async function versionOf(name: string, folder: string): Promise<string | undefined> {
  const places = createRequire(join(folder, "any.js")).resolve.paths(name) ?? [];
  for (const place of places) {
    const path = join(place, name, "package.json");
    try {
      return textOf(parseObject(await readFile(path, "utf8"), path)["version"], `${path}, version`);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}

async function gitStateOf(folder: string): Promise<GitState | null> {
  try {
    const commit = await run("git", ["rev-parse", "HEAD"], { cwd: folder });
    const changes = await run("git", ["status", "--porcelain", "--untracked-files=no"], { cwd: folder });
    return { commit: commit.stdout.trim(), dirty: changes.stdout !== "" };
  } catch (error) {
    // No git on this machine, or (128) not a checkout, or one without a commit.
    if (isMissing(error) || (error instanceof Error && "code" in error && error.code === 128)) return null;
    throw error;
  }
}
