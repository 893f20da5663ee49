import { configJsonSchema, type SchemaNode } from "./schema.ts";

/** A key with a value, such as ["optimizer", "learningRate"]. */
export interface Leaf {
  readonly path: readonly string[];
  readonly node: SchemaNode;
}

let known: readonly Leaf[] | undefined;
/** All keys that take a value. */
export function leaves(): readonly Leaf[] {
  known ??= under(configJsonSchema(), []);
  return known;
}
function under(node: SchemaNode, path: readonly string[]): readonly Leaf[] {
  if (node.properties === undefined) return [{ path, node }];
  return Object.entries(node.properties).flatMap(([key, child]) => under(child, [...path, key]));
}

/** Names allowed inside a section; empty where the path is no section. */
export function keysIn(path: readonly string[]): readonly string[] {
  let node: SchemaNode | undefined = configJsonSchema();
  for (const key of path) node = node?.properties?.[key];
  return Object.keys(node?.properties ?? {});
}

/** Advice for a key that does not exist: where it lives, what is spelt alike, or what there is. */
export function adviceFor(path: readonly string[]): string {
  const section = path.slice(0, -1);
  const key = path.at(-1) ?? "";
  const siblings = keysIn(section);
  const elsewhere = leaves().filter((leaf) => leaf.path.at(-1) === key);
  const near = nearest(key, siblings);
  if (near !== undefined) return `Did you mean ${[...section, near].join(".")}?`;
  if (elsewhere.length > 0) return `Did you mean ${elsewhere.map((leaf) => leaf.path.join(".")).join(" or ")}?`;
  const far = nearest(
    path.join("."),
    leaves().map((leaf) => leaf.path.join(".")),
  );
  if (far !== undefined) return `Did you mean ${far}?`;
  return siblings.length > 0 ? `Known here: ${siblings.join(", ")}.` : "See `eitp config schema`.";
}

/** The word with the smallest edit distance, if that is small for its length. */
export function nearest(word: string, among: readonly string[]): string | undefined {
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of among) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  const allowed = Math.max(2, Math.floor(word.length / 3));
  return best !== undefined && best.distance <= allowed && best.distance < best.candidate.length ? best.candidate : undefined;
}

/** Levenshtein, 1966: insertions, deletions and substitutions. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** JSON types that a key takes: "integer", "null", …. */
export function kindsOf(node: SchemaNode): ReadonlySet<string> {
  const own = node.type === undefined ? (node.enum ?? []).map((value) => typeof value) : [node.type];
  return new Set([...own, ...(node.anyOf ?? []).flatMap((child) => [...kindsOf(child)])]);
}
