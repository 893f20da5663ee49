import type { Entry } from "./problem.ts";

/** All values of all layers as one tree, and where each came from. */
export interface Merged {
  readonly tree: unknown;
  /** Place of a key, or of the nearest thing given inside or around it; "default" where nobody gave anything. */
  placeOf(path: readonly string[]): string;
  valueAt(path: readonly string[]): unknown;
}

type Tree = Map<string, unknown>;

/** Later layers win, key by key. */
export function merge(layers: readonly (readonly Entry[])[]): Merged {
  const root: Tree = new Map();
  const places = new Map<string, string>();
  let whole: Entry | undefined;
  for (const entry of layers.flat()) {
    if (entry.path.length === 0) whole = entry;
    else put(root, entry.path, entry.value);
    places.set(entry.path.join("."), entry.place);
  }
  const tree = whole === undefined ? plain(root) : whole.value;
  return {
    tree,
    placeOf: (path) => {
      const own = path.join(".");
      for (let length = path.length; length >= 0; length--) {
        const around = places.get(path.slice(0, length).join("."));
        if (around !== undefined) return around;
        const inside = length === path.length ? [...places].find(([key]) => key.startsWith(`${own}.`)) : undefined;
        if (inside !== undefined) return inside[1];
      }
      return "default";
    },
    valueAt: (path) => path.reduce<unknown>((node, key) => (isRecord(node) ? node[key] : undefined), tree),
  };
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    tree.set(key, value);
    return;
  }
  const child = tree.get(key);
  const section: Tree = child instanceof Map ? child : new Map<string, unknown>();
  tree.set(key, section);
  put(section, rest, value);
}

/** `fromEntries` defines "__proto__" as an ordinary key, which the strict schema then refuses. */
function plain(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries([...value].map(([key, child]) => [key, plain(child)])) : value;
}
function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
