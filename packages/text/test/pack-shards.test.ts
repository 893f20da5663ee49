import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EitpError } from "@eitp/engine/error";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bytes, characters, type Document, textDataset } from "../src/index.ts";
import { openShards, packFiles, packShards, type SavableEncoder, verifyShards } from "../src/node/index.ts";
import { rngOf } from "./rng.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "eitp-pack-"));
});
afterEach(() => rmSync(root, { recursive: true }));
const out = (): string => join(root, "pack");

const documentsOf = (count: number): Document[] => Array.from({ length: count }, (_, i) => ({ id: `d${i}`, text: `document ${i}\n` }));
const book = Array.from({ length: 2000 }, (_, i) => `Line ${i} of the book.\n`).join("");
const tokenizer = bytes({ endOfText: true });
/** Ids beyond 65,535, so that four bytes are needed: a character's code point. */
const codePoints: SavableEncoder = {
  name: "code points",
  vocabularySize: 0x110000,
  endOfText: null,
  encode: (text) => Int32Array.from(text, (character) => character.codePointAt(0) ?? 0),
  save: () => ({ type: "code points" }),
};
async function allOf(folder: string): Promise<{ train: number[]; validation: number[] }> {
  const shards = await openShards(folder);
  const whole = async (split: "train" | "validation"): Promise<number[]> => [
    ...((await shards[split]?.read(0, shards[split]?.length ?? 0)) ?? []),
  ];
  const found = { train: await whole("train"), validation: await whole("validation") };
  shards.close();
  return found;
}

describe("packShards", () => {
  test("known answer: files, bytes and index of a tiny pack", async () => {
    const { index } = await packShards(
      [
        { id: "a", text: "hé" },
        { id: "b", text: "x" },
      ],
      tokenizer,
      out(),
      { validationFraction: 0, shardTokens: 4 },
    );
    expect(readdirSync(out()).sort()).toEqual(["index.json", "tokenizer.eitp.json", "train-00000.bin", "train-00001.bin", "train.starts"]);
    expect([...readFileSync(join(out(), "train-00000.bin"))]).toEqual([0x68, 0, 0xc3, 0, 0xa9, 0, 0, 1]);
    expect([...readFileSync(join(out(), "train-00001.bin"))]).toEqual([0x78, 0, 0, 1]);
    expect([...readFileSync(join(out(), "train.starts"))]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
    expect(JSON.parse(readFileSync(join(out(), "index.json"), "utf8"))).toEqual(index);
    const sha256 = createHash("sha256")
      .update(Uint8Array.of(0x78, 0, 0, 1))
      .digest("hex");
    expect(index).toMatchObject({ dtype: "uint16", vocabularySize: 257, endOfText: 256, validation: null, split: { method: "none" } });
    expect(index.train).toMatchObject({
      tokens: 6,
      documents: 2,
      bytes: 4,
      shards: [{ tokens: 4 }, { file: "train-00001.bin", tokens: 2, sha256 }],
    });
  });
  test("by document: each whole, on one side, wherever it stands in the corpus", async () => {
    const documents = documentsOf(200);
    const { index } = await packShards(documents, tokenizer, out());
    expect(index.split.method).toBe("document");
    const there = await allOf(out());
    await packShards([...documents].reverse(), tokenizer, out());
    const back = await allOf(out());
    const texts = (ids: number[]): string[] => tokenizer.decode(ids).split("<|endoftext|>").slice(0, -1);
    expect(texts(back.validation).sort()).toEqual(texts(there.validation).sort());
    expect([...texts(there.train), ...texts(there.validation)].sort()).toEqual(documents.map((document) => document.text).sort());
    expect(texts(there.validation).length).toBeGreaterThan(8);
    expect(texts(there.validation).length).toBeLessThan(36);
  });
  test("one book: the last tenth is held out, at a line end, and nothing is lost", async () => {
    const { index } = await packShards([{ id: "book", text: book }], tokenizer, out());
    expect(index.split).toEqual({ method: "tail", validationFraction: 0.1 });
    const { train, validation } = await allOf(out());
    expect(tokenizer.decode([...train, ...validation])).toBe(`${book}<|endoftext|>`);
    expect(train.at(-1)).toBe(10);
    expect(index.validation?.bytes).toBe(validation.length - 1);
    expect((index.validation?.bytes ?? 0) / book.length).toBeCloseTo(0.1, 2);
  });
  test("a tail that is asked for may cut between or inside documents", async () => {
    const { index } = await packShards(documentsOf(3), tokenizer, out(), { split: "tail", validationFraction: 0.4 });
    const { train, validation } = await allOf(out());
    expect([index.train.documents, index.validation?.documents]).toEqual([2, 2]);
    expect(tokenizer.decode(train) + tokenizer.decode(validation)).toBe(
      "document 0\n<|endoftext|>document 1\n<|endoftext|>document 2\n<|endoftext|>",
    );
  });
  test("streams, and four bytes where the vocabulary needs them", async () => {
    const pieces = async function* (): AsyncGenerator<string> {
      for (let i = 0; i < 3000; i++) yield `piece ${i} 🐋 `;
    };
    const { index } = await packShards([{ id: "s", text: pieces() }], codePoints, out(), { shardTokens: 1000 });
    expect(index.dtype).toBe("uint32");
    const { train, validation } = await allOf(out());
    let expected = "";
    for await (const piece of pieces()) expected += piece;
    expect(String.fromCodePoint(...[...train, ...validation].slice(0, 5000))).toBe([...expected].slice(0, 5000).join(""));
    expect(train.length + validation.length).toBe([...expected].length);
  });
  test("shards read across their seams, know documents, and feed a data set", async () => {
    await packShards(documentsOf(200), tokenizer, out(), { shardTokens: 100, validationFraction: 0 });
    const shards = await openShards(out());
    await verifyShards(out(), shards.index);
    expect(tokenizer.decode(await shards.train.read(95, 10))).toBe(tokenizer.decode((await shards.train.read(0, 200)).slice(95, 105)));
    expect(shards.train.startsIn?.(0, 40)).toEqual([0, 12, 24, 36]);
    const data = textDataset({ tokens: shards.train, shape: { sequences: 2, length: 16 } });
    expect(data.fingerprint).toContain(shards.index.fingerprint);
    expect((await data.next(data.start(rngOf(1)))).batch.tokens.length).toBe(32);
    expect(await shards.tokenizer()).toEqual(tokenizer.save());
    shards.close();
    expect(() => shards.train.read(0, 1)).toThrow("were closed");
  });
  test("the fingerprint is of the content", async () => {
    const print = async (text: string, options = {}): Promise<string> => {
      const { index } = await packShards([{ id: "x", text }], tokenizer, join(root, "p"), options);
      return index.fingerprint;
    };
    expect(await print(book)).toBe(await print(book));
    expect(await print(book)).not.toBe(await print(`${book}.`));
    expect(await print(book)).not.toBe(await print(book, { validationFraction: 0.2 }));
  });
});

describe("packFiles", () => {
  test("keeps an equal pack, makes a new one when file, tokenizer or options change or a shard is short", async () => {
    const path = join(root, "book.txt");
    writeFileSync(path, book);
    const pack = async (options = {}, encoder = tokenizer): Promise<boolean> => (await packFiles([path], encoder, out(), options)).reused;
    expect(await pack()).toBe(false);
    expect(await pack()).toBe(true);
    expect(await pack({ validationFraction: 0.2 })).toBe(false);
    expect(await pack({ validationFraction: 0.2 }, bytes())).toBe(false);
    writeFileSync(path, `${book}!`);
    expect(await pack({ validationFraction: 0.2 }, bytes())).toBe(false);
    truncateSync(join(out(), "train-00000.bin"), 10);
    expect(await pack({ validationFraction: 0.2 }, bytes())).toBe(false);
    const { index } = await packFiles([path], bytes(), out(), { validationFraction: 0.2 });
    expect(index.sources).toEqual([{ path, bytes: book.length + 1, sha256: createHash("sha256").update(`${book}!`).digest("hex") }]);
  });
});

describe("refused, with nothing left behind", () => {
  const rejects = async (work: Promise<unknown>, code: string, message: string): Promise<void> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(EitpError);
    expect((error as EitpError).message).toContain(message);
    expect((error as EitpError).code).toBe(code);
    expect(readdirSync(root).filter((name) => name.startsWith("."))).toEqual([]);
  };
  test("no text; a split without documents", async () => {
    await rejects(packShards([], tokenizer, out()), "data", "No text is left for the training split");
    await rejects(
      packShards(documentsOf(1), tokenizer, out(), { split: "document", validationFraction: 1e-9 }),
      "data",
      "No text is left for the validation split",
    );
    expect(existsSync(out())).toBe(false);
  });
  test("a vocabulary too small for the data, an id out of range", async () => {
    await rejects(packShards([{ id: "d.txt", text: "abc" }], characters("ab"), out()), "data", "d.txt: ");
    const wrong: SavableEncoder = { ...codePoints, vocabularySize: 98 };
    await rejects(
      packShards([{ id: "d.txt", text: "abc" }], wrong, out()),
      "data",
      "d.txt: the tokenizer gave id 98 at token 1, but its vocabulary has 98 ids",
    );
  });
  test("a document that cannot be read, an interruption: the old pack stays", async () => {
    const { index } = await packShards([{ id: "book", text: book }], tokenizer, out());
    const broken = async function* (): AsyncGenerator<Document> {
      yield* documentsOf(100);
      throw new EitpError("data", "line 7 is bad");
    };
    await rejects(packShards(broken(), tokenizer, out()), "data", "line 7 is bad");
    await rejects(
      packShards([{ id: "book", text: book }], tokenizer, out(), { signal: AbortSignal.abort() }),
      "interrupted",
      "interrupted",
    );
    expect((await openShards(out())).index).toEqual(index);
  });
  test("a folder with other files, a file, impossible options", async () => {
    writeFileSync(join(root, "mine.doc"), "precious");
    await rejects(packShards(documentsOf(1), tokenizer, root), "usage", "already holds other files (mine.doc");
    // A pack beside something else is no pack: replacing it would cost the something else.
    const mixed = join(root, "mixed");
    await packShards(documentsOf(40), tokenizer, mixed, { identity: "a" });
    writeFileSync(join(mixed, "thesis.doc"), "mine");
    await rejects(packShards(documentsOf(41), tokenizer, mixed, { identity: "b" }), "usage", "already holds other files (thesis.doc");
    expect(readFileSync(join(mixed, "thesis.doc"), "utf8")).toBe("mine");
    await rejects(packShards(documentsOf(1), tokenizer, join(root, "mine.doc")), "usage", "cannot be used as a folder (ENOTDIR)");
    await rejects(packShards(documentsOf(1), tokenizer, out(), { validationFraction: 1 }), "usage", "not 1");
    await rejects(packShards(documentsOf(1), tokenizer, out(), { shardTokens: 0 }), "usage", "not 0");
    await rejects(packShards(documentsOf(1), tokenizer, out(), { split: "tails" as never }), "usage", 'not "tails"');
    expect(readFileSync(join(root, "mine.doc"), "utf8")).toBe("precious");
  });
  test("a disk that takes no more", () => {
    // A limit on file size is a full disk that needs no privileges: write(2) fails with EFBIG once 64 KiB are reached.
    const script = join(import.meta.dirname, "children", "pack-large.ts");
    const command = `ulimit -f 64; exec ${process.execPath} --conditions=@eitp/source --import tsx ${script} ${out()} 8`;
    const child = spawnSync("bash", ["-c", command], { encoding: "utf8" });
    expect(child.stdout).toContain('"code":"io"');
    expect(child.stdout).toContain(
      "EFBIG: file too large, write. The file would be larger than this file system or user may write: raise the limit",
    );
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("openShards refuses", () => {
  const change = (edit: (index: Record<string, unknown>) => unknown): void => {
    const path = join(out(), "index.json");
    writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)));
  };
  beforeEach(() => packShards([{ id: "book", text: book }], tokenizer, out()));
  test.each<[string, () => void, string]>([
    ["no pack", () => rmSync(join(out(), "index.json")), "holds no token shards"],
    [
      "a newer schema",
      () => change((index) => ({ ...index, schemaVersion: 2 })),
      "has schema version 2; this version reads 1. Update EIT-P",
    ],
    ["an index that is no JSON", () => writeFileSync(join(out(), "index.json"), "{"), "is not a usable index"],
    ["an index that lacks a part", () => change(({ train: _, ...index }) => index), "train must be an object"],
    [
      "a path out of the folder",
      () => change((index) => ({ ...index, tokenizer: { name: "x", file: "../../secret" } })),
      "must be a plain file name",
    ],
    ["a truncated shard", () => truncateSync(join(out(), "train-00000.bin"), 100), "it has 100 bytes, expected"],
    ["a missing shard", () => rmSync(join(out(), "validation-00000.bin")), "ENOENT"],
  ])("%s", async (_, damage, message) => {
    damage();
    await expect(openShards(out())).rejects.toThrow(message);
  });
  test("a flipped bit, when verified", async () => {
    const path = join(out(), "train-00000.bin");
    const content = readFileSync(path);
    content.writeUInt8((content[1000] ?? 0) ^ 1, 1000);
    writeFileSync(path, content);
    const { index, close } = await openShards(out());
    close();
    await expect(verifyShards(out(), index)).rejects.toThrow("train-00000.bin is damaged: its content differs from its checksum");
  });
});
