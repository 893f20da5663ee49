import { EitpError } from "@eitp/engine/error";
import type { Addon } from "./addon.ts";

/** A place in native memory. `bytes` is what was reserved. */
export interface Block {
  readonly address: number;
  readonly bytes: number;
}

/** Up to here, blocks are cut from slabs; above, each is an allocation of its own. */
const largestSmall = 64 * 1024;
const slabBytes = 1 << 20;
/** Free memory that may be kept beyond the largest use so far. */
const slackBytes = 64 * 2 ** 20;

/**
 * Native memory with free lists. Steps of training ask for the same sizes again and again, so a freed block waits for the next request of its
 * size: fresh pages cost the system more than small kernels take. What is held never exceeds the largest use so far by more than a slack.
 */
export class Arena {
  /** Bytes in use. */
  live = 0;
  #peak = 0;
  /** Bytes of free large blocks. */
  #idle = 0;
  readonly #free = new Map<number, Block[]>();
  readonly #views = new Map<number, ArrayBuffer>();
  readonly #slabs: { readonly address: number; readonly buffer: ArrayBuffer }[] = [];
  #slabUsed = slabBytes;
  readonly #addon: Addon;
  /** Every block an allocation of its own, of its exact size and freed at once: for memory checkers. */
  readonly #exact: boolean;

  constructor(addon: Addon, exact: boolean) {
    this.#addon = addon;
    this.#exact = exact;
  }

  /** @throws EitpError "unavailable" when the system gives no more memory. */
  allocate(bytes: number): Block {
    const size = this.#exact ? Math.max(1, bytes) : sizeClass(bytes);
    this.live += size;
    if (this.live > this.#peak) this.#peak = this.live;
    const known = this.#free.get(size)?.pop();
    if (known !== undefined) {
      if (size > largestSmall) this.#idle -= size;
      return known;
    }
    return { address: size <= largestSmall && !this.#exact ? this.#cut(size) : this.#own(size), bytes: size };
  }

  free(block: Block): void {
    this.live -= block.bytes;
    if (this.#exact) {
      this.#release(block.address);
      return;
    }
    const list = this.#free.get(block.bytes);
    if (list === undefined) this.#free.set(block.bytes, [block]);
    else list.push(block);
    if (block.bytes > largestSmall) this.#idle += block.bytes;
  }

  /** Where the bytes of a block can be read and written from JavaScript. The view is valid until the block is freed. */
  view(block: Block): { readonly buffer: ArrayBuffer; readonly offset: number } {
    if (block.bytes <= largestSmall && !this.#exact) {
      const slab = this.#slabs.find(({ address }) => address <= block.address && block.address < address + slabBytes);
      if (slab !== undefined) return { buffer: slab.buffer, offset: block.address - slab.address };
    }
    let buffer = this.#views.get(block.address);
    if (buffer === undefined) {
      buffer = this.#addon.view(block.address, block.bytes);
      this.#views.set(block.address, buffer);
    }
    return { buffer, offset: 0 };
  }

  #cut(size: number): number {
    if (this.#slabUsed + size > slabBytes) {
      const address = this.#own(slabBytes);
      this.#slabs.push({ address, buffer: this.#addon.view(address, slabBytes) });
      this.#slabUsed = 0;
    }
    const slab = this.#slabs[this.#slabs.length - 1];
    const at = (slab?.address ?? 0) + this.#slabUsed;
    this.#slabUsed += size;
    return at;
  }

  #own(size: number): number {
    if (this.live + this.#idle > this.#peak + slackBytes) this.#trim(this.live + this.#idle - this.#peak);
    let address = this.#addon.allocate(size);
    if (address === 0) {
      this.#trim(Number.POSITIVE_INFINITY);
      address = this.#addon.allocate(size);
    }
    if (address !== 0) return address;
    this.live -= size;
    throw outOfMemory(size, this.live);
  }

  /** Gives back free large blocks, those of sizes not asked for longest first, until `bytes` are. */
  #trim(bytes: number): void {
    let left = bytes;
    for (const [size, list] of this.#free) {
      if (size <= largestSmall) continue;
      while (left > 0) {
        const block = list.pop();
        if (block === undefined) break;
        this.#release(block.address);
        this.#idle -= size;
        left -= size;
      }
      if (list.length === 0) this.#free.delete(size);
      if (left <= 0) return;
    }
  }

  #release(address: number): void {
    const view = this.#views.get(address);
    this.#views.delete(address);
    if (view === undefined) this.#addon.release(address);
    else this.#addon.release(address, view);
  }
}

/** The error of a request that the system refuses. */
export function outOfMemory(bytes: number, live: number): EitpError {
  return new EitpError(
    "unavailable",
    `no memory for ${bytes} more bytes (${live} are in use by tensors). Use a smaller batch, context or model, or a machine with more memory.`,
  );
}

/** Small sizes in steps of an eighth of their power of two, at least 64; large ones to the page, as a model's shapes repeat exactly. */
function sizeClass(bytes: number): number {
  if (bytes <= 512) return Math.max(64, (bytes + 63) & ~63);
  if (bytes > largestSmall) return Math.ceil(bytes / 4096) * 4096;
  const step = Math.max(64, 1 << (31 - Math.clz32(bytes) - 3));
  return Math.ceil(bytes / step) * step;
}
