import { parse, YAMLParseError } from "yaml";
import { adviceFor, kindsOf, type Leaf, leaves, nearest } from "./keys.ts";
import { type Layer, type Problem, shown } from "./problem.ts";

/** Names that begin with EITP_ and are not configuration. */
const reserved: ReadonlySet<string> = new Set([
  "EITP_DEBUG",
  "EITP_PYTHON",
  "EITP_TORCH",
  "EITP_DATA",
  "EITP_CI",
  "EITP_THREADS",
  "EITP_WRITE_GOLDEN",
]);

/** `--set a.b=c`, repeated. Values are YAML scalars or lists; text where the key takes text. */
export function setLayer(assignments: readonly string[]): Layer {
  const entries: Layer["entries"][number][] = [];
  const problems: Problem[] = [];
  for (const assignment of assignments) {
    const place = `--set ${assignment}`;
    const at = assignment.indexOf("=");
    const path = assignment.slice(0, Math.max(0, at)).split(".");
    const leaf = leaves().find((candidate) => candidate.path.join(".") === path.join("."));
    if (at < 1) {
      problems.push({ place, expected: "key=value", found: shown(assignment), advice: "For example --set training.steps=500." });
    } else if (leaf === undefined) {
      problems.push({ place, key: path.join("."), expected: "a known key", found: "an unknown one", advice: adviceFor(path) });
    } else {
      entries.push({ path, value: read(leaf, assignment.slice(at + 1)), place });
    }
  }
  return { entries, problems };
}

/** `optimizer.learningRate` is read from EITP_OPTIMIZER__LEARNING_RATE. */
function variableOf(path: readonly string[]): string {
  return `EITP_${path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join("__")}`;
}

/** All EITP_… variables; an unknown one is refused, since a misspelt setting must not be ignored. */
export function environmentLayer(environment: { readonly [name: string]: string | undefined }): Layer {
  const known = new Map(leaves().map((leaf) => [variableOf(leaf.path), leaf]));
  const entries: Layer["entries"][number][] = [];
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("EITP_") || reserved.has(name) || text === undefined) continue;
    const leaf = known.get(name);
    if (leaf !== undefined) {
      entries.push({ path: leaf.path, value: read(leaf, text), place: `${name}=${text}` });
      continue;
    }
    const near = nearest(name, [...known.keys()]);
    const advice = near === undefined ? "Unset it, or see `eitp train --help`." : `Did you mean ${near}?`;
    problems.push({ place: name, expected: "a known variable", found: "an unknown one", advice });
  }
  return { entries, problems };
}

function read({ node }: Leaf, text: string): unknown {
  const kinds = kindsOf(node);
  if (kinds.has("null") && (text === "null" || text === "")) return null;
  if (kinds.has("string")) return text;
  const value = scalar(text);
  return kinds.has("array") && !Array.isArray(value) ? [text] : value;
}

/** What cannot be read as YAML is text; the schema then says what it wanted. */
function scalar(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    if (error instanceof YAMLParseError) return text;
    throw error;
  }
}
