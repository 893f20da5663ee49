import { EitpError } from "@eitp/engine/error";
import type { Tensor } from "@tensorflow/tfjs-core";
import type { AnyController, AnyLossTerm, HostBatch, Model, Need, Saved, TermUse } from "../spec/index.ts";

/** A use, checked and put in its place. Constant during a run; what changes lives in the trainer's state. */
export interface Slot {
  /** The use's name: key in metrics and checkpoints. */
  readonly key: string;
  readonly use: TermUse;
  readonly term: AnyLossTerm;
  readonly controller: AnyController | null;
  /** Where its loss counts: on every micro-batch's tape, or once per step on a tape of its own. */
  readonly pass: "data" | "params";
  /** Evaluated on the data tapes. For a "params" term: because a data term reads it, for its quantities alone, so that a reader changes no bit of it. */
  readonly onData: boolean;
  /** Names of the uses it reads quantities of. */
  readonly readsFrom: readonly string[];
}

export const keyOf = (use: TermUse): string => use.name ?? use.term.name;

/**
 * Puts uses into the one canonical order: by name (code units), each after those it reads. So the order of the list never matters.
 * @throws EitpError "usage" for no use at all, two of one name, unknown or cyclic `reads`, cadences that are no positive integers, weights that are
 * not finite, "hold" outside scope "params", unknown words, or a need the model does not supply.
 */
export function arrange(terms: readonly TermUse[], model: Model): readonly Slot[] {
  if (terms.length === 0) throw usage("`terms` is empty: there is nothing to minimise. Give at least { term: crossEntropy(), weight: 1 }");
  const uses = new Map<string, TermUse>();
  for (const use of terms) {
    const key = keyOf(use);
    if (uses.has(key)) throw usage(`two uses are named '${key}'; give one of them another \`name\``);
    checkUse(key, use, model);
    uses.set(key, use);
  }
  const ordered: string[] = [];
  const visit = (key: string, trail: readonly string[]): void => {
    if (ordered.includes(key)) return;
    if (trail.includes(key)) throw usage(`terms read each other in a cycle: ${[...trail, key].join(" → ")}`);
    for (const from of readsOf(key, uses)) visit(from, [...trail, key]);
    ordered.push(key);
  };
  for (const key of [...uses.keys()].sort(byCodeUnits)) visit(key, []);

  // What a data term reads must be on its tape, and so on down.
  const onData = new Set<string>();
  for (const key of [...ordered].reverse()) {
    if (scopeOf(key, uses) !== "params") onData.add(key);
    if (onData.has(key)) for (const from of readsOf(key, uses)) onData.add(from);
  }
  return ordered.map((key) => {
    const use = uses.get(key) as TermUse;
    const readsFrom = readsOf(key, uses);
    if (use.term.scope === "params" && readsFrom.some((from) => scopeOf(from, uses) !== "params"))
      throw usage(`term '${key}' has scope "params" but reads a term that averages over data; give it scope "tokens" or "set"`);
    return {
      key,
      use,
      term: use.term,
      controller: typeof use.weight === "object" ? use.weight : null,
      pass: use.term.scope === "params" ? "params" : "data",
      onData: onData.has(key),
      readsFrom,
    };
  });
}

/** Runs at this step: its own cadence, and everything it reads runs too. */
export function activeAt(slots: readonly Slot[], step: number): readonly Slot[] {
  const active = new Set<string>();
  return slots.filter((slot) => {
    const on = step % (slot.use.every ?? 1) === 0 && slot.readsFrom.every((from) => active.has(from));
    if (on) active.add(slot.key);
    return on;
  });
}

/**
 * Weight of the loss at a step. An exact 0 on the host (also outside `from`–`until`) leaves the term out of the sum.
 * @throws EitpError "usage" where a schedule gives what is not finite, before anything has changed.
 */
export function weightAt({ key, use, controller }: Slot, step: number, controllers: { readonly [name: string]: Saved }): number | Tensor {
  if (step < (use.from ?? 0) || step >= (use.until ?? Number.POSITIVE_INFINITY)) return 0;
  if (controller !== null) return controller.weight(controllers[controller.name] ?? null, key);
  const weight = typeof use.weight === "function" ? use.weight(step) : (use.weight as number);
  if (!Number.isFinite(weight)) throw usage(`the weight of '${key}' at step ${step} is ${weight}; its schedule must give finite numbers`);
  return weight;
}

/**
 * Fraction of the step's mean each micro-batch contributes. "tokens": its part of all counted tokens, so that the split into micro-batches does not
 * matter; "set": equal parts; "params": nothing, its loss counts on its own tape.
 */
export function sharesOf({ key, term }: Slot, batches: readonly HostBatch[]): readonly number[] {
  if (term.scope === "set") return batches.map(() => 1 / batches.length);
  if (term.scope === "params") return batches.map(() => 0);
  const counts = batches.map((batch) => term.count?.(batch) ?? batch.tokens.length);
  if (counts.some((n) => !(n >= 0))) throw usage(`term '${key}' counts ${counts.join(", ")} tokens; expected numbers ≥ 0`);
  const all = counts.reduce((a, b) => a + b, 0);
  return counts.map((n) => (all === 0 ? 0 : n / all));
}

/** @throws EitpError "usage" for two controllers of one name, or one that reads a use that is not there. */
export function checkControllers(controllers: readonly AnyController[], slots: readonly Slot[]): void {
  controllers.forEach((c, i) => {
    if (controllers.findIndex((d) => d.name === c.name) !== i) throw usage(`two controllers are named '${c.name}'; rename one`);
    for (const read of c.reads)
      if (!slots.some(({ key }) => key === read.slice(0, read.lastIndexOf("."))))
        throw usage(`controller '${c.name}' reads '${read}', but no use has that name (uses: ${slots.map((s) => s.key).join(", ")})`);
  });
}

/**
 * All uses run at the first step, so a feature that its use does not report then is unknown, not just unmeasured: a controller would hold for ever.
 * @throws EitpError "usage" naming the controller, the key and what the use does report.
 */
export function checkReads(controllers: readonly AnyController[], features: { readonly [key: string]: Tensor }): void {
  for (const c of controllers)
    for (const read of c.reads) {
      const use = read.slice(0, read.lastIndexOf("."));
      // Without a loss the use counted no token of this step, and nothing of it was measured.
      if (features[read] !== undefined || features[`${use}.loss`] === undefined) continue;
      const known = Object.keys(features).filter((key) => key.startsWith(`${use}.`));
      throw usage(
        `controller '${c.name}' reads '${read}', which '${use}' did not report at the first step (it reported ${known.join(", ")})`,
      );
    }
}

/** Inputs the data tapes must supply. */
export function needsOf(slots: readonly Slot[]): ReadonlySet<Need> {
  return new Set(slots.flatMap((slot) => slot.term.needs));
}

function readsOf(key: string, uses: ReadonlyMap<string, TermUse>): readonly string[] {
  return (uses.get(key)?.term.reads ?? []).map((read) => {
    const from = read.slice(0, read.lastIndexOf("."));
    if (!uses.has(from) || from === key)
      throw usage(`term '${key}' reads '${read}', but there is no other use named '${from}' (uses: ${[...uses.keys()].join(", ")})`);
    return from;
  });
}

function scopeOf(key: string, uses: ReadonlyMap<string, TermUse>): string | undefined {
  return uses.get(key)?.term.scope;
}

function checkUse(key: string, use: TermUse, model: Model): void {
  const { term, weight } = use;
  if (term.specVersion !== 1) throw usage(`term '${key}' follows spec version ${term.specVersion}; this trainer knows version 1`);
  if (!/^[\w-]+$/.test(key)) throw usage(`term name '${key}' may hold letters, digits, '_' and '-' only`);
  if (typeof weight === "number" && !Number.isFinite(weight)) throw usage(`weight of '${key}' is ${weight}; expected a finite number`);
  const { every = 1, from = 0, until = Number.POSITIVE_INFINITY } = use;
  if (!(Number.isSafeInteger(every) && every >= 1)) throw usage(`\`every\` of '${key}' is ${every}; expected an integer ≥ 1`);
  if (!(Number.isSafeInteger(from) && from >= 0)) throw usage(`\`from\` of '${key}' is ${from}; expected an integer ≥ 0`);
  if (!((Number.isSafeInteger(until) || until === Number.POSITIVE_INFINITY) && until > from))
    throw usage(`\`until\` of '${key}' is ${until}; expected an integer above \`from\` (${from}), or its loss never counts`);
  oneOf(key, "scope", term.scope, ["tokens", "set", "params"]);
  oneOf(key, "between", use.between ?? "zero", ["zero", "hold"]);
  oneOf(key, "onNonFinite", use.onNonFinite ?? "throw", ["throw", "skip"]);
  if (use.between === "hold" && term.scope !== "params")
    throw usage(`'${key}' asks for between: "hold", which is for scope "params"; its scope is "${term.scope}"`);
  const missing = term.needs.filter((need) => !model.supplies.includes(need));
  if (missing.length > 0)
    throw usage(
      `term '${key}' needs ${missing.map((n) => `'${n}'`).join(", ")}, which the model does not supply (it supplies ${model.supplies.join(", ")})`,
    );
}

/** Words come from configuration files too, where no compiler has looked. */
function oneOf(key: string, option: string, found: string, known: readonly string[]): void {
  if (!known.includes(found))
    throw usage(`\`${option}\` of '${key}' is ${JSON.stringify(found)}; expected ${known.map((word) => `"${word}"`).join(" or ")}`);
}

const usage = (message: string): EitpError => new EitpError("usage", message);
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : 1);
