import { logicalAnd, type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import { allFinite, guarded } from "./guard.ts";
import type { Slot } from "./slots.ts";
import type { TermMemory } from "./state.ts";
import type { Sums } from "./sums.ts";
import { mapTensors } from "./tree.ts";

/**
 * What a use remembers after a step: the proposed state, its own parameters moved by their own optimiser, `update`, the held gradient. Nothing is
 * adopted or released here. A term whose own objective is not finite stands still by itself, without stopping a run it has no weight in.
 */
export function moveTerm(slot: Slot, before: TermMemory, sums: Sums, at: { readonly step: number; readonly ok: Tensor }): TermMemory {
  const { key, term, use } = slot;
  const { step } = at;
  const gradients = sums.own.get(key);
  const loss = sums.values.get(`${key}.loss`);
  if (loss === undefined) return before;
  let state = sums.proposals.get(key) ?? before.state;
  let own = before.own;
  if (term.own !== undefined && gradients !== undefined) {
    const { optimizer } = term.own;
    const xs = term.own.of(state);
    const count = before.own.count + 1;
    const moved = xs.map((x, i) =>
      optimizer.step(x, gradients[i] as Tensor, before.own.moments[i] ?? null, { count, step, name: `${key}/${i}` }),
    );
    const to = new Map(xs.map((x, i) => [x, moved[i]?.parameter]));
    state = mapTensors(state, (t) => to.get(t) ?? t);
    own = { count, moments: moved.map((m) => m.state) };
  }
  if (term.update !== undefined) {
    const prefix = `${key}.`;
    const features = Object.fromEntries(
      [...sums.features].flatMap(([id, t]) => (id.startsWith(prefix) ? [[id.slice(prefix.length), t]] : [])),
    );
    state = term.update({ step, features }, state);
  }
  const finite = logicalAnd(at.ok, allFinite([loss, ...(gradients ?? [])]));
  const alone = use.between === "hold" ? sums.alone.get(key) : undefined;
  const held = alone === undefined ? before.held : before.held.map((h, i) => alone.gradients[i] ?? zerosLike(h));
  // Remembered also at weight 0, where the step's verdict does not look at it.
  const heldFinite = alone === undefined ? at.ok : logicalAnd(at.ok, allFinite(held));
  return {
    state: guarded(finite, before.state, state),
    own: guarded(finite, before.own, own),
    held: guarded(heldFinite, before.held, held),
  };
}
