import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { onDisk } from "./write-error.ts";

/** Small writes are gathered: one system call per mebibyte. */
const bufferBytes = 2 ** 20;

/** A finished file of a pack. */
export interface FileRecord {
  readonly file: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** A new file that is only appended to, hashed on the way and durable once closed. */
export class HashedFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash("sha256");
  readonly #buffer: Buffer = Buffer.allocUnsafe(bufferBytes);
  #filled = 0;
  #bytes = 0;
  #open = true;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<HashedFile> {
    return new HashedFile(path, await onDisk(path, () => open(path, "wx")));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length;
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + bufferBytes - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === bufferBytes) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#hash.update(bytes);
    await onDisk(this.#path, async () => {
      for (let written = 0; written < bytes.length; ) written += (await this.#handle.write(bytes, written)).bytesWritten;
    });
    this.#filled = 0;
  }

  /** Flushes, syncs and closes. */
  async finish(): Promise<FileRecord> {
    await this.#flush();
    await onDisk(this.#path, () => this.#handle.sync());
    await this.close();
    return { file: basename(this.#path), bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  /** Lets go of the file; does nothing after {@link finish}. */
  async close(): Promise<void> {
    if (this.#open) await this.#handle.close();
    this.#open = false;
  }
}
