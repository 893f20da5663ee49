/** The C++ side, as `native/addon.cc` exports it. Addresses are numbers: exact below 2⁵³. */
export interface Addon {
  /** Arguments of the next call. */
  readonly frame: Float64Array;
  /** Kernel names; the index is the kernel's number. */
  readonly kernels: readonly string[];
  /** Runs a kernel on the frame: 0, 1 + the place of the first invalid index, or −1 where memory ran out. */
  run(kernel: number): number;
  /** 64-byte aligned memory, or 0. */
  allocate(bytes: number): number;
  /** Frees a block; a view of it becomes empty. */
  release(address: number, view?: ArrayBuffer): void;
  view(address: number, bytes: number): ArrayBuffer;
  copy(address: number, values: Float32Array | Int32Array | Uint8Array, into: boolean): void;
  /** Sets threads (0: one per core) and instruction set ("": the best here); returns the threads, 0 where this processor lacks the set. */
  start(threads: number, isa: string): number;
  isa(): string;
}
