import { createReadStream } from "node:fs";
import { type Document, piecesOf } from "../data/document.ts";
import { HashedFile } from "./hashed-file.ts";

/** Documents set aside on disk as UTF-8, so that a stream can be read again once its length is known. */
export class Spool {
  readonly #path: string;
  readonly #file: HashedFile;
  readonly #documents: { readonly id: string; readonly start: number; readonly end: number }[] = [];
  #bytes = 0;

  private constructor(path: string, file: HashedFile) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<Spool> {
    return new Spool(path, await HashedFile.create(path));
  }

  get count(): number {
    return this.#documents.length;
  }
  /** Bytes of text so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async add(document: Document): Promise<void> {
    const start = this.#bytes;
    for await (const piece of piecesOf(document)) {
      const bytes = Buffer.from(piece);
      await this.#file.write(bytes);
      this.#bytes += bytes.length;
    }
    this.#documents.push({ id: document.id, start, end: this.#bytes });
  }

  /** Ends writing and gives the documents back, in order. */
  async *replay(): AsyncGenerator<Document> {
    await this.#file.finish();
    for (const { id, start, end } of this.#documents) {
      if (start === end) yield { id, text: "" };
      else yield { id, text: createReadStream(this.#path, { start, end: end - 1, encoding: "utf8" }) };
    }
  }

  /** After a failure: lets go of the file. */
  async close(): Promise<void> {
    await this.#file.close();
  }
}
