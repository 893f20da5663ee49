import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { buildAddon } from "../src/index.ts";
import { missing } from "./native.ts";

const run = promisify(execFile);
const compiler = process.env["CXX"] ?? "g++";
const library = missing === null ? execFileSync(compiler, ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim() : "";
const why = missing ?? (existsSync(library) ? null : `${compiler} has no AddressSanitizer`);

describe.skipIf(why !== null)(`under sanitizers${why === null ? "" : ` (skipped: ${why})`}`, () => {
  test.each(["avx512", "avx2", "base"])("%s kernels touch no byte that is not theirs", { timeout: 600_000 }, async (isa) => {
    const addon = await buildAddon({ sanitize: true });
    const script = fileURLToPath(new URL("sanitized.ts", import.meta.url));
    const environment = {
      ...process.env,
      ...{ EITP_NATIVE_ADDON: addon, EITP_NATIVE_EXACT: "1", EITP_ISA: isa, EITP_THREADS: "2", LD_PRELOAD: library },
      // Node keeps memory to its end, and handles faults of WebAssembly itself.
      ...{ ASAN_OPTIONS: "detect_leaks=0:handle_segv=0:allocator_may_return_null=1", UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1" },
    };
    const { stdout } = await run(process.execPath, ["--conditions=@eitp/source", "--import", "tsx", script], { env: environment }).catch(
      (error: { code: unknown; stdout: string; stderr: string }) => ({ stdout: `exit ${error.code}\n${error.stdout}\n${error.stderr}` }),
    );
    if (stdout.includes("this processor has no kernels")) return;
    expect(stdout).toBe(`${isa} with 2 threads: 0 checks failed\n`);
  });
});
