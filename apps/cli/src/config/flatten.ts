import type { Entry } from "./problem.ts";

/** A tree of values as entries, all from one place. */
export function flatten(value: object, place: string, path: readonly string[] = []): readonly Entry[] {
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) =>
    typeof child === "object" && child !== null && !Array.isArray(child)
      ? flatten(child, place, [...path, key])
      : [{ path: [...path, key], value: child, place }],
  );
}
