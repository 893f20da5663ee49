// What runs in a tab: no source that a browser entry reaches, through whatever imports, may touch Node. Types are free, they vanish.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const entries = [
  "@eitp/engine",
  "@eitp/engine/error",
  "@eitp/engine/random",
  "@eitp/core",
  "@eitp/core/spec",
  "@eitp/core/testing",
  "@eitp/core/safetensors",
  "@eitp/gpt",
  "@eitp/text",
];
/** Names that only Node defines. `process` may be asked for by `typeof`, which is how code finds out where it runs. */
const nodeGlobals: ReadonlySet<string> = new Set(["process", "Buffer", "require", "__dirname", "__filename", "global", "setImmediate"]);

/** The one file that imports by a computed name: first asking whether this is Node, which packages/engine/test/native-in-a-tab.test.ts proves. */
const seam = "packages/engine/src/backends/native.ts";

/** Source file of "@eitp/core/spec", by the export map of its package. */
function sourceOf(specifier: string): string {
  const [scope = "", name = "", ...rest] = specifier.split("/");
  const room = join(root, "packages", name);
  const { exports } = JSON.parse(readFileSync(join(room, "package.json"), "utf8")) as {
    readonly exports: { readonly [key: string]: { readonly [condition: string]: string } };
  };
  const source = exports[[".", ...rest].join("/")]?.["@eitp/source"];
  if (scope !== "@eitp" || source === undefined) throw new Error(`${specifier} is not exported by a package of ours`);
  return join(room, source);
}

interface Look {
  readonly imports: readonly string[];
  readonly globals: readonly string[];
}
function lookAt(file: string): Look {
  const imports: string[] = [];
  const globals: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && !node.importClause?.isTypeOnly && ts.isStringLiteral(node.moduleSpecifier))
      imports.push(node.moduleSpecifier.text);
    if (ts.isExportDeclaration(node) && !node.isTypeOnly && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier))
      imports.push(node.moduleSpecifier.text);
    const [dynamic] = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments : [];
    if (dynamic !== undefined) imports.push(ts.isStringLiteral(dynamic) ? dynamic.text : `node:? (computed: ${dynamic.getText()})`);
    if (ts.isIdentifier(node) && nodeGlobals.has(node.text) && isFree(node)) globals.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true));
  return { imports, globals };
}
/** Neither the name of a property, nor the operand of `typeof`, nor a type. */
function isFree(node: ts.Identifier): boolean {
  const { parent } = node;
  const named = (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)) && parent.name === node;
  return !named && !ts.isTypeOfExpression(parent) && !ts.isTypeNode(parent);
}

/** Everything of Node's that is reached from `entry`, with the way there. */
function nodeIn(entry: string): readonly string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const walk = (file: string, way: readonly string[]): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const here = [...way, relative(root, file)];
    const { imports, globals } = lookAt(file);
    for (const name of globals) found.push(`${name} in ${here.join(" → ")}`);
    for (const specifier of imports) {
      if (specifier.startsWith("node:") && !(specifier.startsWith("node:?") && relative(root, file) === seam))
        found.push(`${specifier} in ${here.join(" → ")}`);
      else if (specifier.startsWith(".")) walk(join(dirname(file), specifier), here);
      else if (specifier.startsWith("@eitp/")) walk(sourceOf(specifier), here);
    }
  };
  walk(sourceOf(entry), []);
  return found;
}

describe("browser entries", () => {
  test.each(entries)("%s reaches nothing of Node", (entry) => {
    expect(nodeIn(entry)).toEqual([]);
  });

  test("the walk would notice: the Node entries do reach it", () => {
    for (const entry of ["@eitp/core/node", "@eitp/gpt/node", "@eitp/text/node"]) {
      expect(existsSync(sourceOf(entry))).toBe(true);
      expect(nodeIn(entry).join("\n")).toMatch(/node:fs/);
    }
    expect(nodeIn("@eitp/text/node").join("\n")).toMatch(/^Buffer in packages\/text\/src\/node/m);
  });
});
