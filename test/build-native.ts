import { whyNotNative } from "../packages/engine-native/src/index.ts";

/** Compiles the native kernels before the first test: it takes half a minute, which no single test should wait for. */
export async function setup(): Promise<void> {
  const why = await whyNotNative();
  if (why !== null) process.stdout.write(`tests of the native backend are skipped: ${why}\n`);
}
