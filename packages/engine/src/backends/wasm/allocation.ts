import { EitpError } from "../../error.ts";
import type { WasmBackend } from "./heap.ts";

/**
 * Makes a full heap an error. The stock backend does not look at what `_malloc` returns: once the 4 GiB are spent, 0 becomes the address of
 * the new tensor, and writing it changes other tensors in silence.
 */
export function guardAllocation({ wasm }: WasmBackend): void {
  // Emscripten's stub replaces itself at the first call, which would throw the guard away.
  wasm._free(wasm._malloc(8));
  const allocate = wasm._malloc;
  wasm._malloc = (bytes) => {
    const at = allocate(bytes);
    if (at === 0) throw full(bytes);
    return at;
  };
}

const full = (bytes: number): EitpError =>
  new EitpError(
    "unavailable",
    `the wasm heap (4 GiB at most) has no room for ${bytes} more bytes. Use a smaller batch, context or model, or another backend.`,
  );
