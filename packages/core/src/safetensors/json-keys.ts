/**
 * Calls `visit` for every key of every object in `json`, which must be valid JSON, with the keys already seen in the same object, and
 * returns how deep it nests. `JSON.parse` alone keeps the last of two equal keys silently, so a header could hide a tensor.
 */
export function visitKeys(json: string, visit: (key: string, seen: ReadonlySet<string>) => void): number {
  const objects: (Set<string> | null)[] = []; // null for arrays
  let expectKey = false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === "{" || c === "[") {
      objects.push(c === "{" ? new Set() : null);
      depth = Math.max(depth, objects.length);
      expectKey = c === "{";
    } else if (c === "}" || c === "]") {
      objects.pop();
      expectKey = false;
    } else if (c === ",") {
      expectKey = objects.at(-1) instanceof Set;
    } else if (c === '"') {
      const end = closingQuote(json, i);
      const keys = objects.at(-1);
      if (expectKey && keys) {
        // Parsed, because "a" and "\u0061" are the same key.
        const key = JSON.parse(json.slice(i, end + 1)) as string;
        visit(key, keys);
        keys.add(key);
        expectKey = false;
      }
      i = end;
    }
  }
  return depth;
}

function closingQuote(json: string, open: number): number {
  let i = open + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i;
}
