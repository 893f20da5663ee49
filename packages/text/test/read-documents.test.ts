import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { EitpError } from "@eitp/engine/error";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { piecesOf } from "../src/data/document.ts";
import { type ReadOptions, readDocuments } from "../src/node/index.ts";

const fixtures = join(import.meta.dirname, "fixtures");
let folder = "";
const at = (name: string): string => join(folder, name);
const put = (name: string, content: string | Uint8Array): string => {
  writeFileSync(at(name), content);
  return at(name);
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "eitp-read-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(inputs: readonly string[], options: ReadOptions = {}): Promise<{ id: string; text: string }[]> {
  const found: { id: string; text: string }[] = [];
  for await (const document of readDocuments(inputs, options)) {
    let text = "";
    for await (const piece of piecesOf(document)) text += piece;
    found.push({ id: document.id.replace(folder, ""), text });
  }
  return found;
}
async function refusal(inputs: readonly string[], options: ReadOptions = {}): Promise<EitpError> {
  try {
    await read(inputs, options);
  } catch (error) {
    if (error instanceof EitpError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("readDocuments", () => {
  test("files, folders and globs, sorted, hidden and foreign files left out, each file once", async () => {
    mkdirSync(at("corpus/deep"), { recursive: true });
    put("corpus/b.txt", "B");
    put("corpus/deep/a.MD", "A");
    put("corpus/c.jsonl", '{"text":"one"}\n\n{"text":"two"}\r\n{"text":""}');
    put("corpus/d.jsonl.gz", gzipSync('{"text":"three"}\n'));
    put("corpus/.hidden.txt", "no");
    put("corpus/image.png", "no");
    const documents = await read([at("corpus/c.jsonl"), at("corpus"), at("corpus/**/*.txt")]);
    expect(documents).toEqual([
      { id: "/corpus/c.jsonl:1", text: "one" },
      { id: "/corpus/c.jsonl:3", text: "two" },
      { id: "/corpus/b.txt", text: "B" },
      { id: "/corpus/d.jsonl.gz:1", text: "three" },
      { id: "/corpus/deep/a.MD", text: "A" },
    ]);
  });
  test("a path that exists is no glob", async () => {
    expect(await read([put("odd[1].txt", "x")])).toEqual([{ id: "/odd[1].txt", text: "x" }]);
  });
  test("standard input, as text or as JSON Lines of another field", async () => {
    const stdin = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"body":"h');
      yield Buffer.from('i"}\n');
    };
    expect(await read(["-"], { stdin: stdin() })).toEqual([{ id: "-", text: '{"body":"hi"}\n' }]);
    expect(await read(["-"], { stdin: stdin(), format: "jsonl", field: "body" })).toEqual([{ id: "standard input:1", text: "hi" }]);
  });
  test("a large file arrives in pieces", async () => {
    const path = put("large.txt", "é".repeat(600_000));
    const sizes: number[] = [];
    for await (const document of readDocuments([path])) for await (const piece of piecesOf(document)) sizes.push(piece.length);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(600_000);
  });
  test("Parquet written by DuckDB: row groups, zstd and snappy, non-ASCII text", async () => {
    const rows = await read([join(fixtures, "rows-zstd.parquet")], { field: "content" });
    expect(rows.length).toBe(5000);
    expect(rows[4999]).toEqual({ id: `${join(fixtures, "rows-zstd.parquet")}:4999`, text: "row 4999 naïve 日本 🐋" });
    expect((await read([join(fixtures, "rows-snappy.parquet")])).map((row) => row.text)).toEqual(
      Array.from({ length: 10 }, (_, i) => `row ${i}`),
    );
  });
  test("invalid UTF-8 is replaced and counted on request", async () => {
    const counts: [string, number][] = [];
    const options = { replaceInvalid: true, onReplaced: (name: string, count: number) => counts.push([name.replace(folder, ""), count]) };
    const path = put("latin.txt", Buffer.from("caf\xe9 \xe9\xe9.", "latin1"));
    const lone = put("lone.jsonl", '{"text":"a\\ud800b"}');
    expect((await read([path, lone, join(fixtures, "bad-utf8.parquet")], options)).map((document) => document.text)).toEqual([
      "caf\ufffd \ufffd\ufffd.",
      "a\ufffdb",
      "ok\ufffd",
    ]);
    expect(counts.map(([, count]) => count)).toEqual([3, 1, 1]);
  });
});

describe("readDocuments refuses", () => {
  test.each<[string, () => { inputs: string[]; options?: ReadOptions }, string]>([
    ["no input", () => ({ inputs: [] }), "No input was given"],
    ["an unknown format", () => ({ inputs: ["-"], options: { format: "csv" as never } }), 'not "csv"'],
    ["a missing path", () => ({ inputs: [at("nowhere.txt")] }), "There is no file or folder"],
    ["an unreadable path", () => ({ inputs: [at("loop")] }), "ELOOP"],
    ["a glob without match", () => ({ inputs: [at("*.nothing")] }), "No file matches"],
    ["a folder without texts", () => ({ inputs: [at("empty")] }), "holds no .txt, .md, .jsonl, .jsonl.gz or .parquet"],
    ["an empty file", () => ({ inputs: [put("none.txt", "")] }), "none.txt is empty"],
    ["an empty standard input", () => ({ inputs: ["-"], options: { stdin: (async function* () {})() } }), "standard input is empty"],
    [
      "invalid UTF-8",
      () => ({ inputs: [put("bad.txt", Buffer.from("caf\xe9 ", "latin1"))] }),
      "bad.txt is not valid UTF-8: byte offset 3 holds e9",
    ],
    ["binary data", () => ({ inputs: [put("bin.txt", Buffer.from("GIF89a\0\x01"))] }), "byte offset 6 holds a NUL byte"],
    [
      "a line that is no JSON",
      () => ({ inputs: [put("a.jsonl", '{"text":"x"}\n{"text":')] }),
      "a.jsonl:2: expected one JSON object a line, found",
    ],
    ["a line that is no object", () => ({ inputs: [put("b.jsonl", '["x"]')] }), "b.jsonl:1: expected a JSON object, found an array"],
    [
      "a missing field",
      () => ({ inputs: [put("c.jsonl", '\n{"body":"x","id":1}')] }),
      'c.jsonl:2: there is no field "text"; the fields are: body, id',
    ],
    [
      "a field that is no string",
      () => ({ inputs: [put("d.jsonl", '{"text":null}')] }),
      'd.jsonl:1: the field "text" must be a string, found null',
    ],
    ["half a surrogate pair", () => ({ inputs: [put("e.jsonl", '{"text":"\\udc00"}')] }), "e.jsonl:1: the text has half a surrogate pair"],
    ["JSON Lines without a line", () => ({ inputs: [put("f.jsonl", "\n\n")] }), "holds no line of JSON"],
    [
      "truncated gzip",
      () => ({ inputs: [put("g.jsonl.gz", gzipSync('{"text":"x"}'.repeat(99)).subarray(0, 25))] }),
      "ends in the middle of its gzip data",
    ],
    ["corrupt gzip", () => ({ inputs: [put("h.jsonl.gz", "no gzip at all")] }), "h.jsonl.gz is not valid gzip data"],
    ["no Parquet", () => ({ inputs: [put("i.parquet", "PAR1 but not really PAR1")] }), "i.parquet cannot be read"],
    ["a missing column", () => ({ inputs: [join(fixtures, "rows-zstd.parquet")] }), 'has no column "text"; the columns are: id, content'],
    [
      "a null in the column",
      () => ({ inputs: [join(fixtures, "null-row.parquet")] }),
      'row 3: the column "text" must hold a string, found null',
    ],
    [
      "a column of numbers",
      () => ({ inputs: [join(fixtures, "rows-snappy.parquet")], options: { field: "id" } }),
      'row 0: the column "id" must hold a string, found a bigint',
    ],
    ["invalid UTF-8 in Parquet", () => ({ inputs: [join(fixtures, "bad-utf8.parquet")] }), "byte offset 2 holds e9"],
    ["Parquet on standard input", () => ({ inputs: ["-"], options: { format: "parquet" } }), "Parquet cannot be read from standard input"],
  ])("%s", async (name, given, message) => {
    if (name === "an unreadable path") symlinkSync(at("loop"), at("loop"));
    if (name === "a folder without texts") mkdirSync(at("empty"));
    const { inputs, options } = given();
    const error = await refusal(inputs, options);
    expect(error.message).toContain(message);
    expect(error.code).toBe(["no input", "an unknown format", "Parquet on standard input"].includes(name) ? "usage" : "data");
  });
});
