import { EitpError } from "@eitp/engine/error";
import { copyRegisteredKernels, findBackend, ready, registerBackend, setBackend } from "@tensorflow/tfjs-core";
import { NativeBackend } from "./backend.ts";
import { backendName } from "./kernels/define.ts";
import { registerKernels } from "./kernels/register.ts";
import { loadAddon } from "./load.ts";

export interface NativeOptions {
  /** Default: EITP_THREADS, else one per physical core. */
  readonly threads?: number;
}
/** What was started. */
export interface NativeInfo {
  readonly threads: number;
  /** "avx512", "avx2", or "base" (128 bits). */
  readonly isa: string;
  /** The addon's file. */
  readonly file: string;
}

/**
 * Makes `native` the current tfjs backend; compiles the kernels first where that has not been done. EITP_ISA picks another instruction set than the best.
 * @throws EitpError "unavailable" where the addon is missing and cannot be built, or the processor lacks EITP_ISA; "usage" for bad threads.
 */
export async function startNative(options: NativeOptions = {}): Promise<NativeInfo> {
  const { addon, file } = await loadAddon();
  const threads = options.threads ?? Number(process.env["EITP_THREADS"] ?? 0);
  if (!Number.isInteger(threads) || threads < 0 || threads > 256)
    throw new EitpError("usage", `native: threads (EITP_THREADS) must be an integer from 1 to 256, or 0 for one per core; got ${threads}`);
  const isa = process.env["EITP_ISA"] ?? "";
  const started = addon.start(threads, isa);
  if (started === 0)
    throw new EitpError(
      "unavailable",
      `this processor has no kernels for EITP_ISA="${isa}"; expected "avx512", "avx2" or "base", or nothing`,
    );
  if (findBackend(backendName) === null) {
    registerBackend(backendName, () => new NativeBackend(addon, { exact: process.env["EITP_NATIVE_EXACT"] === "1" }));
    copyRegisteredKernels("cpu", backendName);
    registerKernels();
  }
  await setBackend(backendName);
  await ready();
  return { threads: started, isa: addon.isa(), file };
}
