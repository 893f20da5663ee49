import { env, findBackend, ready, setBackend } from "@tensorflow/tfjs-core";
import { EitpError } from "../../error.ts";

/** Registers, starts and repairs the wasm backend. Idempotent. */
export async function startWasm(paths?: string): Promise<{ readonly simd: boolean; readonly threads: number }> {
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const running = findBackend("wasm") instanceof wasm.BackendWasm;
  if (!running && paths !== undefined) wasm.setWasmPaths(paths);
  let started: boolean;
  try {
    started = await setBackend("wasm");
    await ready();
  } catch (cause) {
    throw new EitpError("unavailable", `backend "wasm" did not start. ${how}`, { cause });
  }
  if (!started) throw new EitpError("unavailable", `backend "wasm" did not start. ${how}`);
  return { simd: (await env().getAsync("WASM_HAS_SIMD_SUPPORT")) === true, threads: wasm.getThreadsCount() };
}

const how =
  'Check that `@tensorflow/tfjs-backend-wasm` is installed in the same version as tfjs-core; in a tab, pass `wasmPaths`, the folder that serves its .wasm files. Or use backend "cpu".';
