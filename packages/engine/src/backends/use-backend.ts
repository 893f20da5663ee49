import "@tensorflow/tfjs";
import { enableProdMode, ready, setBackend } from "@tensorflow/tfjs-core";
import { repairAutodiff } from "../autodiff.ts";
import { EitpError } from "../error.ts";
import { registerFusedGradients } from "../fused/run.ts";
import { registerChoose } from "../ops/choose.ts";
import { startWasm, type WasmOptions } from "./wasm/start.ts";

export type BackendName = "cpu" | "wasm";

/** What {@link useBackend} took, and why. */
export interface BackendChoice {
  readonly name: BackendName;
  /** One clause for logs: "asked for", or why "auto" came to it. */
  readonly why: string;
  /** wasm: whether products are fused, see {@link UseBackendOptions}. */
  readonly fma?: boolean;
  /** wasm: threads of its kernels. */
  readonly threads?: number;
}

export type UseBackendOptions = WasmOptions;

/** A row of `eitp doctor`. */
export interface BackendReport {
  readonly name: string;
  readonly available: boolean;
  /** Why it is not available; null when it is. */
  readonly whyNot: string | null;
  /** How to get it, or what it is good for when it is there. */
  readonly how: string;
}

/**
 * Makes a backend the current one, its known faults repaired (kernels that are missing, wrong or slow; second derivatives). Call it once,
 * before the first tensor. "auto" takes wasm, and cpu where wasm does not start.
 * @throws EitpError "unavailable" for a backend that is unknown or does not start; the message says how to get it.
 * @example
 * ```ts
 * import { useBackend } from "@eitp/engine";
 * const { name, why } = await useBackend("auto");
 * ```
 */
export async function useBackend(name: string, options: UseBackendOptions = {}): Promise<BackendChoice> {
  // Production mode silences tfjs' advertising of tfjs-node on the console; it checks nothing less.
  enableProdMode();
  repairAutodiff();
  registerFusedGradients();
  registerChoose();
  if (name === "cpu") return useCpu("asked for");
  if (name === "wasm") return useWasm("asked for", options);
  if (name !== "auto")
    throw new EitpError("unavailable", `backend "${name}" is unknown. Available: "auto", "cpu" (always) and "wasm" (embedded default).`);
  try {
    return await useWasm("the fastest embedded backend", options);
  } catch (error) {
    if (!EitpError.is(error) || error.code !== "unavailable") throw error;
    return useCpu(`wasm does not start here: ${error.message}`);
  }
}

async function useCpu(why: string): Promise<BackendChoice> {
  await setBackend("cpu");
  await ready();
  return { name: "cpu", why };
}

async function useWasm(why: string, options: UseBackendOptions): Promise<BackendChoice> {
  const { fma } = await startWasm(options);
  return { name: "wasm", why, fma, threads: 1 };
}

/** Every backend EIT-P knows of, whether it can be used here, and how to get it otherwise. Starts none. */
export function listBackends(): readonly BackendReport[] {
  const wasm = typeof WebAssembly === "object";
  return [
    { name: "cpu", available: true, whyNot: null, how: "always there; the reference, slow" },
    {
      name: "wasm",
      available: wasm,
      whyNot: wasm ? null : "this runtime has no WebAssembly",
      how: wasm ? "the embedded default" : "use Node 20.19 or newer, or a current browser",
    },
  ];
}
