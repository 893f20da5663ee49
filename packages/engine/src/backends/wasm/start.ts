import { backend, env, findBackend, getKernel, ready, setBackend } from "@tensorflow/tfjs-core";
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

/** Registers, starts and repairs the wasm backend. Idempotent. */
export async function startWasm(paths?: string): Promise<{ readonly simd: boolean; readonly threads: number }> {
  const threads = await switchTo(paths);
  const current = backend() as unknown as WasmBackend;
  if (!repaired.has(current)) {
    repaired.add(current);
    guardAllocation(current);
  }
  // Stock tfjs lacks this kernel, so it marks the repair, also for a second copy of this package.
  if (getKernel("UnsortedSegmentSum", "wasm") === undefined) {
    fastMatMul();
    rightFusedMatMul();
    addSegmentSum();
    fastGather();
    sharedIdentity();
    heapSlice();
    honestClip();
    fastSum();
  }
  return { simd: (await env().getAsync("WASM_HAS_SIMD_SUPPORT")) === true, threads };
}

/** Makes wasm the current backend; returns its threads. A failed start leaves tfjs' module in a state in which everything further throws, too. */
async function switchTo(paths: string | undefined): Promise<number> {
  let cause: unknown;
  try {
    const wasm = await import("@tensorflow/tfjs-backend-wasm");
    if (paths !== undefined && !(findBackend("wasm") instanceof wasm.BackendWasm)) wasm.setWasmPaths(paths);
    if (await setBackend("wasm")) {
      await ready();
      return wasm.getThreadsCount();
    }
  } catch (error) {
    cause = error;
  }
  throw new EitpError(
    "unavailable",
    'backend "wasm" did not start. Check that `@tensorflow/tfjs-backend-wasm` is installed in the same version as tfjs-core; in a tab, pass `wasmPaths`, the folder that serves its .wasm files. Or use backend "cpu".',
    { cause },
  );
}
