import { setImmediate } from "node:timers/promises";
import type { Platform } from "../spec/platform.ts";
import { nodeStore } from "./store.ts";

/**
 * Node's disk, clock and event loop under one folder. Its store survives a kill at any instant: after a restart `list` and `read` see
 * either the old or the new version of a committed folder, whole; leftovers go with the first commit. Two processes that write to one
 * folder exclude each other with `lockRun`.
 *
 * Its methods throw `EitpError` "usage" for a path outside `root`, and "io" (path, bytes, advice) where the disk refuses; the previous
 * folder is then intact and nothing temporary is left.
 * @param root - Need not exist; made by the first commit.
 * @example
 * ```ts
 * const { store } = nodePlatform("runs/nano");
 * await store.commit("checkpoints/step-100", { "state.json": new TextEncoder().encode("{}") });
 * ```
 */
export function nodePlatform(root: string): Platform {
  return {
    store: nodeStore(root),
    now: () => performance.now(),
    yield: () => setImmediate(),
  };
}
