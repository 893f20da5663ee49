import { backend, env, findBackend, ready, setBackend } from "@tensorflow/tfjs-core";
import { EitpError } from "../../error.ts";
import { guardAllocation } from "./allocation.ts";
import { honestClip } from "./clip.ts";
import { fastGather } from "./gather.ts";
import type { WasmBackend } from "./heap.ts";
import { sharedIdentity } from "./identity.ts";
import { fastMatMul, rightFusedMatMul } from "./mat-mul.ts";
import { addSegmentSum } from "./segment-sum.ts";
import { heapSlice } from "./slice.ts";
import { fastSum } from "./sum.ts";

const repaired = new WeakSet<object>();
let kernelsReplaced = false;

/** Registers, starts and repairs the wasm backend. Idempotent. */
export async function startWasm(paths?: string): Promise<{ readonly simd: boolean; readonly threads: number }> {
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const running = findBackend("wasm") instanceof wasm.BackendWasm;
  if (!running && paths !== undefined) wasm.setWasmPaths(paths);
  await switchTo();
  const current = backend() as unknown as WasmBackend;
  if (!repaired.has(current)) {
    repaired.add(current);
    guardAllocation(current);
  }
  if (!kernelsReplaced) {
    kernelsReplaced = true;
    fastMatMul();
    rightFusedMatMul();
    addSegmentSum();
    fastGather();
    sharedIdentity();
    heapSlice();
    honestClip();
    fastSum();
  }
  return { simd: (await env().getAsync("WASM_HAS_SIMD_SUPPORT")) === true, threads: wasm.getThreadsCount() };
}

async function switchTo(): Promise<void> {
  let cause: unknown;
  try {
    if (await setBackend("wasm")) return await ready();
  } catch (error) {
    cause = error;
  }
  throw new EitpError(
    "unavailable",
    'backend "wasm" did not start. Check that `@tensorflow/tfjs-backend-wasm` is installed in the same version as tfjs-core; in a tab, pass `wasmPaths`, the folder that serves its .wasm files. Or use backend "cpu".',
    { cause },
  );
}
