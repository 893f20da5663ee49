// Every fenced `ts` block of every README is type-checked under the strict flags and run, in a folder of its own.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { glob } from "tinyglobby";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const room = join(root, "test", ".snippets");
rmSync(room, { recursive: true, force: true });
mkdirSync(room, { recursive: true });

interface Snippet {
  readonly readme: string;
  readonly name: string;
  readonly file: string;
}
const readmes = await glob(["README.md", "{packages,apps,examples}/*/README.md", "docs/**/*.md"], {
  cwd: root,
  ignore: ["**/node_modules/**", "docs/api/**"],
});
const snippets = readmes.sort().flatMap((path): Snippet[] => {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match, i) => {
    const line = text.slice(0, match.index).split("\n").length;
    const file = join(room, `${path.replace(/[^a-zA-Z]+/g, "-")}-${i + 1}.ts`);
    writeFileSync(file, `${match[1]}\nexport {};\n`);
    return { readme: path, name: `${path}:${line}`, file };
  });
});

const home = process.cwd();
const folders = new Map<string, string>();
/** The snippets of one README run in turn in one folder, which holds what a reader is assumed to have: texts, and a GPT-2 folder. */
function folderOf(readme: string): string {
  const known = folders.get(readme);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), "eitp-snippet-"));
  folders.set(readme, folder);
  for (const name of ["corpus", "more"]) mkdirSync(join(folder, name));
  const text = Array.from(
    { length: 400 },
    (_, i) => `Chapter ${i}. The ${i % 7}th whale and the ${i % 11}th sailor met on the sea at noon.\n`,
  ).join("");
  for (const name of ["corpus/a.txt", "corpus/b.txt", "book.txt"]) writeFileSync(join(folder, name), `${name}\n${text}`);
  const lines = Array.from(
    { length: 50 },
    (_, i) => `${JSON.stringify({ text: `line ${i}: ${text.slice(i * 40, i * 40 + 400)}` })}\n`,
  ).join("");
  writeFileSync(join(folder, "more", "a.jsonl.gz"), gzipSync(lines));
  cpSync(join(root, "packages/gpt/test/fixtures/hugging-face"), join(folder, "models/gpt2"), { recursive: true });
  return folder;
}
afterAll(() => {
  process.chdir(home);
  rmSync(room, { recursive: true, force: true });
});

describe("README snippets", () => {
  test("there are some", () => {
    expect(snippets.length).toBeGreaterThan(5);
  });

  test("type-check", () => {
    const config = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile).config, ts.sys, root);
    // A reader's program is no package: what it exports needs no annotation.
    const options = { ...config.options, isolatedDeclarations: false, declaration: false, noPropertyAccessFromIndexSignature: false };
    const program = ts.createProgram(
      snippets.map((s) => s.file),
      options,
    );
    const problems = ts.getPreEmitDiagnostics(program).filter((d) => d.file?.fileName.startsWith(room));
    const said = problems.map((d) => `${relative(room, d.file?.fileName ?? "")}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`);
    expect(said).toEqual([]);
  }, 120_000);

  test.each(snippets)(
    "$name runs",
    async ({ file, readme }) => {
      process.chdir(folderOf(readme));
      await import(pathToFileURL(file).href);
    },
    120_000,
  );
});
