import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EitpError } from "@eitp/engine/error";

const run = promisify(execFile);
/** The package's folder, from `src/` as from `dist/`. */
const home: string = join(dirname(fileURLToPath(import.meta.url)), "..");
const sources: string = join(home, "native");

/** No `-ffast-math`: NaN and infinities must come through. No `-march`: each instruction set is chosen when the program runs. */
const release: readonly string[] = ["-O3", "-DNDEBUG"];
const debug: readonly string[] = [
  "-O1",
  "-g",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=undefined",
  "-fno-omit-frame-pointer",
];
const common: readonly string[] = [
  ...["-std=c++17", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden"],
  ...["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wall", "-Wextra", "-Wno-psabi"],
];

export interface BuildOptions {
  /** With AddressSanitizer and UndefinedBehaviorSanitizer; the process must preload libasan. */
  readonly sanitize?: boolean;
  /** Default: `CXX`, or g++. */
  readonly compiler?: string;
}

/**
 * Where the addon built from `native/` lies; it is compiled if it is missing or older than the sources (found by their hash). Concurrent callers
 * wait for one of them.
 * @throws EitpError "unavailable" without sources or compiler, or where they do not compile; the message holds the first complaint.
 */
export async function buildAddon({ sanitize = false, compiler = process.env["CXX"] ?? "g++" }: BuildOptions = {}): Promise<string> {
  if (!existsSync(sources)) throw unavailable("this copy of @eitp/engine-native holds no sources");
  const flags = [...(sanitize ? debug : release), ...common];
  const headers = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
  const names = (await readdir(sources)).sort();
  const hash = createHash("sha256").update([process.platform, process.arch, compiler, ...flags].join(" "));
  for (const name of names) hash.update(name).update(await readFile(join(sources, name)));
  const folder = join(home, "build");
  const file = join(folder, `${hash.digest("hex").slice(0, 16)}.node`);
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  await locked(`${file}.lock`, file, async () => {
    const made = `${file}.${process.pid}`;
    const files = names.filter((name) => name.endsWith(".cc")).map((name) => join(sources, name));
    try {
      await run(compiler, [...flags, `-I${headers}`, ...files, "-o", made]);
    } catch (cause) {
      await rm(made, { force: true });
      throw unavailable(`${compiler} could not compile it: ${complaint(cause)}`, cause);
    }
    await rename(made, file);
  });
  return file;
}

/** Runs `make` while holding a lock folder, unless another process makes `file` meanwhile. A lock older than ten minutes is a dead process'. */
async function locked(lock: string, file: string, make: () => Promise<void>): Promise<void> {
  while (!existsSync(file)) {
    if (await taken(lock)) {
      try {
        if (!existsSync(file)) await make();
      } finally {
        await rm(lock, { recursive: true, force: true });
      }
      return;
    }
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > 600_000) await rm(lock, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw unavailable(`its folder cannot be written: ${(error as Error).message}`, error);
  }
}

function complaint(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  if (code === "ENOENT") return "there is no such program. Install one (Debian: apt install g++), or name one in CXX";
  return stderr?.split("\n").find((line) => line.includes("error")) ?? message;
}

function unavailable(why: string, cause?: unknown): EitpError {
  return new EitpError("unavailable", `the native backend is not built, and ${why}. The wasm backend works without it.`, { cause });
}
