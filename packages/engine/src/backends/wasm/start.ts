import { backend, env, findBackend, getKernel, ready, setBackend } from "@tensorflow/tfjs-core";
import { EitpError } from "../../error.ts";
import { guardAllocation } from "./allocation.ts";
import { honestClip } from "./clip.ts";
import { addAttentionKernels } from "./fused-attention.ts";
import { addLossKernels } from "./fused-loss.ts";
import { addRowKernels } from "./fused-rows.ts";
import { fastGather } from "./gather.ts";
import type { WasmBackend } from "./heap.ts";
import { sharedIdentity } from "./identity.ts";
import { loadKernels } from "./kernel-module.ts";
import { fastMatMul, rightFusedMatMul } from "./mat-mul.ts";
import { addSegmentSum } from "./segment-sum.ts";
import { heapSlice } from "./slice.ts";
import { fastSum } from "./sum.ts";

export interface WasmOptions {
  /** Folder or URL prefix, ending in "/", of the `.wasm` files of `@tensorflow/tfjs-backend-wasm`; needed in a tab, found by itself in Node. */
  readonly wasmPaths?: string;
  /**
   * Fused multiply-add where the runtime has relaxed SIMD (Node 22, current browsers): about a sixth faster, but bits differ between
   * processors, so that a run resumed on another machine differs from one that went on. Default false: the same bits everywhere.
   */
  readonly fma?: boolean;
}

const repaired = new WeakSet<object>();

/** Registers, starts and repairs the wasm backend, and adds the kernels of ours. Idempotent. */
export async function startWasm({ wasmPaths, fma = false }: WasmOptions): Promise<{ readonly fma: boolean }> {
  await switchTo(wasmPaths);
  const current = backend() as unknown as WasmBackend;
  if (!repaired.has(current)) {
    repaired.add(current);
    guardAllocation(current);
  }
  const choice = await loadKernels(current, { fma });
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
    addRowKernels();
    addAttentionKernels();
    addLossKernels();
  }
  return choice;
}

/** Makes wasm the current backend. A failed start leaves tfjs' module in a state in which everything further throws, too. */
async function switchTo(paths: string | undefined): Promise<void> {
  let cause: unknown;
  try {
    const wasm = await import("@tensorflow/tfjs-backend-wasm");
    if (paths !== undefined && !(findBackend("wasm") instanceof wasm.BackendWasm)) wasm.setWasmPaths(paths);
    // The threaded build's heap is shared, and only products of its stock kernels use the threads: ours are faster on one.
    env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
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
