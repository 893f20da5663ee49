import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLError } from "yaml";
import type { Entry, Layer, Problem } from "./problem.ts";

/** YAML, or JSON (which YAML includes), as entries with line and column. */
export function parseText(text: string, file: string, json: boolean): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const notJson = json ? jsonProblems(text, at) : [];
  const problems = notJson.length > 0 ? notJson : document.errors.map((error) => syntaxProblem(error, at(error.pos[0])));
  // A file with a hole has no reliable values.
  return { entries: problems.length > 0 ? [] : entriesOf(document, at, file), problems };
}

function syntaxProblem(error: YAMLError, place: string): Problem {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return { place, expected: "spaces as indentation", found: "a tab", advice: "YAML allows no tabs there: replace it by two spaces." };
    case "DUPLICATE_KEY":
      return { place, expected: "every key once", found: "a key a second time", advice: "Remove one of the two." };
    case "MULTIPLE_DOCS":
      return { place, expected: "one document", found: "a second one", advice: "Keep one configuration per file." };
    default:
      return { place, expected: "valid YAML", found: `a mistake (${error.message.split("\n")[0]})`, advice: "" };
  }
}

/** YAML accepts more than JSON, for instance comments; a .json file must be JSON. */
function jsonProblems(text: string, at: (offset: number) => string): readonly Problem[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const offset = Number(/position (\d+)/.exec(message)?.[1] ?? Math.max(0, text.trimEnd().length - 1));
    return [{ place: at(offset), expected: "valid JSON", found: `a mistake (${message})`, advice: "" }];
  }
}

function entriesOf(document: Document, at: (offset: number) => string, file: string): readonly Entry[] {
  const walk = (node: unknown, path: readonly string[], place: string): readonly Entry[] => {
    if (isMap(node)) {
      return node.items.flatMap(({ key, value }) => {
        const name = isScalar(key) ? String(key.value) : String(key);
        return walk(value, [...path, name], isNode(key) && key.range ? at(key.range[0]) : place);
      });
    }
    if (path.length === 0) {
      // An empty file is a configuration that changes nothing.
      return node === null || (isScalar(node) && node.value === null) ? [] : [{ path: [], value: plain(node, document), place }];
    }
    return [{ path, value: plain(node, document), place }];
  };
  return walk(document.contents, [], `${file}:1:1`);
}

function plain(node: unknown, document: Document): unknown {
  if (isAlias(node) || isNode(node)) return node.toJS(document);
  return node;
}
