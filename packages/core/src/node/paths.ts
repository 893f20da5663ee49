import { join } from "node:path";
import { EitpError } from "@eitp/engine/error";

/** Work in progress and things on their way out; never read, removed by the next writer. */
export const temporaryPrefix = ".tmp-";
/** A complete folder that is just being replaced; readers take it while its successor is not there yet. */
export const asidePrefix = ".old-";

/** True for names the store keeps for itself. */
export function isReserved(name: string): boolean {
  return name.startsWith(temporaryPrefix) || name.startsWith(asidePrefix);
}

/**
 * The parts of a relative path. Refused ("usage"): absolute paths, "..", empty parts, backslashes, NUL, reserved names. The check is
 * lexical: a symbolic link inside the root, to a larger disk say, was put there by the user and is followed.
 */
export function partsOf(path: string, root: string): readonly string[] {
  if (path === "" || path === ".") return [];
  const parts = path.split("/");
  const bad = parts.find(
    (part) => part === "" || part === "." || part === ".." || /[\\\0]/.test(part) || isReserved(part) || isDrive(part),
  );
  if (bad === undefined) return parts;
  throw new EitpError(
    "usage",
    `${JSON.stringify(path)} is not a path inside ${root}: expected names joined by "/", found the part ${JSON.stringify(bad)}. ` +
      `Use a relative path without "..", backslashes, or names that begin with ${temporaryPrefix} or ${asidePrefix}.`,
  );
}

function isDrive(part: string): boolean {
  return /^[A-Za-z]:$/.test(part);
}

/** A non-empty relative path as its parent folder on disk and its own name. */
export function splitPath(path: string, root: string): { readonly parent: string; readonly name: string } {
  const parts = partsOf(path, root);
  const name = parts.at(-1);
  if (name === undefined) {
    throw new EitpError("usage", `Expected the name of a folder inside ${root}, got the root itself. Name a folder below it.`);
  }
  return { parent: join(root, ...parts.slice(0, -1)), name };
}
