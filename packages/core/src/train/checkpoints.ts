import { EitpError } from "@eitp/engine/error";
import type { Store } from "../spec/index.ts";
import { type Checkpoint, checkpointFiles, readCheckpoint } from "./checkpoint.ts";

/** "latest": the newest that is whole; "best": lowest held-out loss; a number: that step. */
export type Which = "latest" | "best" | number;

export interface FoundCheckpoint extends Checkpoint {
  readonly folder: string;
  /** Newer ones that were passed over because they are damaged, with the reason: tell the user. */
  readonly skipped: readonly { readonly folder: string; readonly reason: string }[];
}

/** "checkpoints/step-00000100". */
export function checkpointFolder(room: string, step: number): string {
  return `${room}/step-${String(step).padStart(8, "0")}`;
}

/** Writes a checkpoint (all of it or nothing), points `latest` at it and drops what retention does not keep. */
export async function saveCheckpoint(store: Store, room: string, checkpoint: Checkpoint, keep: number): Promise<string> {
  const { step } = checkpoint.saved;
  const folder = checkpointFolder(room, step);
  await store.commit(folder, await checkpointFiles(checkpoint));
  await point(store, room, "latest", step);
  const best = await pointed(store, room, "best");
  const steps = await stepsIn(store, room);
  for (const old of steps.filter((s) => s < step && s !== best).slice(0, -Math.max(0, keep - 1) || undefined))
    await store.remove(checkpointFolder(room, old));
  return folder;
}

/** Points `best` at the checkpoint of `step`. */
export async function markBest(store: Store, room: string, step: number): Promise<void> {
  await point(store, room, "best", step);
}

/** Steps of the checkpoints in a folder, ascending. */
export async function stepsIn(store: Store, room: string): Promise<readonly number[]> {
  const names = await store.list(room);
  return names.flatMap((name) => (/^step-\d{8,}$/.test(name) ? [Number(name.slice(5))] : [])).sort((a, b) => a - b);
}

/**
 * Finds and verifies a checkpoint. A damaged newest one falls back to the one before, and says so in `skipped`; one asked for by number or as
 * best does not.
 * @throws EitpError "data" where there is none, or none is whole, with the reason for each.
 */
export async function findCheckpoint(store: Store, which: Which, room = "checkpoints"): Promise<FoundCheckpoint> {
  const steps = await stepsIn(store, room);
  if (steps.length === 0)
    throw new EitpError("data", `no checkpoint in '${room}'; expected folders named step-00000100. Was anything saved?`);
  if (which !== "latest") {
    const step = which === "best" ? await pointed(store, room, "best") : which;
    if (step === null) throw new EitpError("data", `no best checkpoint in '${room}': no evaluation has marked one. Ask for the latest`);
    if (!steps.includes(step)) throw new EitpError("data", `no checkpoint of step ${step} in '${room}' (there are: ${steps.join(", ")})`);
    return { ...(await readCheckpoint(store, checkpointFolder(room, step))), folder: checkpointFolder(room, step), skipped: [] };
  }
  const skipped: { folder: string; reason: string }[] = [];
  for (const step of [...steps].reverse()) {
    const folder = checkpointFolder(room, step);
    try {
      return { ...(await readCheckpoint(store, folder)), folder, skipped };
    } catch (error) {
      if (!EitpError.is(error) || error.code !== "data") throw error;
      skipped.push({ folder, reason: error.message });
    }
  }
  throw new EitpError("data", `no checkpoint in '${room}' is whole:\n${skipped.map((s) => `  ${s.reason}`).join("\n")}`);
}

async function point(store: Store, room: string, name: string, step: number): Promise<void> {
  const pointer = { step, folder: checkpointFolder(room, step).slice(room.length + 1) };
  await store.commit(`${room}/${name}`, { "pointer.json": new TextEncoder().encode(`${JSON.stringify(pointer)}\n`) });
}
async function pointed(store: Store, room: string, name: string): Promise<number | null> {
  const bytes = await store.read(`${room}/${name}/pointer.json`);
  if (bytes === undefined) return null;
  const pointer: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return typeof pointer === "object" && pointer !== null && "step" in pointer && typeof pointer.step === "number" ? pointer.step : null;
}
