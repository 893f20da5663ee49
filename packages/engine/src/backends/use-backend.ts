import "@tensorflow/tfjs";
import { enableProdMode, ready, setBackend } from "@tensorflow/tfjs-core";
import { repairAutodiff } from "../autodiff.ts";
import { EitpError } from "../error.ts";
import { registerFusedGradients } from "../fused/run.ts";
import { registerChoose } from "../ops/choose.ts";
import { loadNative, whyNoNative } from "./native.ts";
import { startWasm, type WasmOptions } from "./wasm/start.ts";

export type BackendName = "cpu" | "wasm" | "native";

/** What {@link useBackend} took, and why. */
export interface BackendChoice {
  readonly name: BackendName;
  /** One clause for logs: "asked for", or why "auto" came to it. */
  readonly why: string;
  /** wasm: whether multiply and add are one instruction, see {@link UseBackendOptions}. */
  readonly fma?: boolean;
  /** native, wasm: threads of its kernels; always 1 for wasm. */
  readonly threads?: number;
  /** native: instruction set of its kernels. */
  readonly isa?: string;
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
 * before the first tensor. "auto" takes native, wasm where that does not start, and cpu where neither does.
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
  if (name === "native") return useNative("asked for");
  if (name !== "auto")
    throw new EitpError(
      "unavailable",
      `backend "${name}" is unknown. Available: "auto", "cpu" (always), "wasm" (embedded default) and "native" (Node, @eitp/engine-native).`,
    );
  const missing: string[] = [];
  for (const start of [() => useNative("the fastest on this processor"), () => useWasm("the fastest embedded backend", options)]) {
    try {
      const choice = await start();
      return missing.length === 0 ? choice : { ...choice, why: `${choice.why}; ${missing.join("; ")}` };
    } catch (error) {
      if (!EitpError.is(error) || error.code !== "unavailable") throw error;
      missing.push(error.message);
    }
  }
  return useCpu(`nothing faster starts here: ${missing.join("; ")}`);
}

async function useNative(why: string): Promise<BackendChoice> {
  const { threads, isa } = await (await loadNative()).startNative();
  return { name: "native", why, threads, isa };
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

/** Every backend EIT-P knows of, whether it can be used here, and how to get it otherwise. Starts none; native is compiled if it can be. */
export async function listBackends(): Promise<readonly BackendReport[]> {
  const wasm = typeof WebAssembly === "object";
  const native = await whyNoNative();
  return [
    {
      name: "native",
      available: native === null,
      whyNot: native,
      how: native === null ? "the fastest on a processor" : "in Node: npm install @eitp/engine-native; it brings a binary, or needs g++",
    },
    { name: "cpu", available: true, whyNot: null, how: "always there; the reference, slow" },
    {
      name: "wasm",
      available: wasm,
      whyNot: wasm ? null : "this runtime has no WebAssembly",
      how: wasm ? "the embedded default" : "use Node 20.19 or newer, or a current browser",
    },
  ];
}
