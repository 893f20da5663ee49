import { spawnSync } from "node:child_process";

/** Compiles the native kernels before the first test: it takes half a minute, which no single test should wait for. */
export function setup(): void {
  const flags = ["--conditions=@eitp/source", "packages/engine-native/scripts/build.mjs"];
  const { status, stderr } = spawnSync(process.execPath, flags, { encoding: "utf8" });
  const complaint = stderr.split("\n").find((line) => line.includes("Error")) ?? stderr;
  if (status !== 0) process.stdout.write(`tests of the native backend are skipped: ${complaint}\n`);
}
