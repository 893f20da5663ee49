import type { WasmBackend } from "./heap.ts";

/** Runs `f` with the address of that many bytes of heap, freed afterwards. The allocation may grow the heap: make views inside `f`. */
export function withScratch<R>({ wasm }: WasmBackend, bytes: number, f: (address: number) => R): R {
  // A wasm address beyond 2 GiB arrives as a negative number.
  const address = wasm._malloc(Math.max(bytes >>> 0, 16)) >>> 0;
  try {
    return f(address);
  } finally {
    wasm._free(address);
  }
}
