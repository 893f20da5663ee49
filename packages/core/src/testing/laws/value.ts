import type { Saved, TermValue } from "../../spec/index.ts";
import { mapTensors } from "../../train/tree.ts";
import type { Bench } from "../bench.ts";
import { must } from "../law.ts";
import { bitsOf, bitsOfMade, firstDifference, outputsOf, scalars, structureOf } from "../read.ts";

/** Loss, own objective, metrics, features and quantities are float32 scalars and finite. */
export async function scalarAndFinite(bench: Bench): Promise<void> {
  const scene = bench.scene();
  let names: readonly string[] = [];
  const values = await scalars(() => {
    const outputs = outputsOf(scene.evaluate());
    for (const [name, t] of Object.entries(outputs))
      must(t.rank === 0 && t.dtype === "float32", `${name} has shape [${t.shape}] and dtype ${t.dtype}; expected a float32 scalar`);
    names = Object.keys(outputs);
    return Object.values(outputs);
  });
  names.forEach((name, i) => {
    must(Number.isFinite(values[i]), `${name} is ${values[i]} at the test model's start`);
  });
}

/** `init`, `evaluate` and `update` are functions of their arguments, which they leave alone. */
export async function sameArgumentsSameBits(bench: Bench): Promise<void> {
  const { term, state, begin, evaluate } = bench.scene();
  const before = await bitsOf(state);
  await twice("init", () => begin());
  const all = (value: TermValue): Saved => ({ ...outputsOf(value), ...(value.next !== undefined && { next: value.next }) });
  await twice("evaluate", () => all(evaluate()));
  if (term.update !== undefined) {
    const { update } = term;
    await twice("update", () => {
      const features = evaluate().features ?? {};
      return update.call(term, { step: 0, features }, state);
    });
  }
  must(firstDifference(before, await bitsOf(state)) === null, "the state it was given has changed");
}

async function twice(what: string, make: () => Saved): Promise<void> {
  const different = firstDifference(await bitsOfMade(() => ownCopy(make())), await bitsOfMade(() => ownCopy(make())));
  must(different === null, `\`${what}\` called twice with the same arguments differs at '${different}'`);
}

/** `next` is what `init` made, as far as structure goes, and so is what `update` returns and what a run carries on. */
export async function stateKeepsItsStructure(bench: Bench): Promise<void> {
  const trainer = await bench.trainer();
  const expected = structureOf(trainer.stateOf(bench.name));
  for (let step = 1; step <= 3; step++) {
    await (await trainer.step()).record;
    const found = structureOf(trainer.stateOf(bench.name));
    must(found === expected, `after step ${step} the state is ${found}; \`init\` made ${expected}`);
  }
}

/** The bits are read after the trees are released, and the state must outlive that. */
const ownCopy = (tree: Saved): Saved => mapTensors(tree, (t) => t.clone());
