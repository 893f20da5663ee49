import type { StepRecord } from "@eitp/core/spec";

/** What every term has: grouped by what it is, so that TensorBoard shows all losses side by side. */
const perTerm: ReadonlySet<string> = new Set(["loss", "weighted", "weight", "gradientNorm"]);

/**
 * A key of a record as a TensorBoard tag; the part before the first "/" is the group. "ce.loss" → "loss/ce", "loss" → "loss/total",
 * "heldOut.loss" → "loss/heldOut", "chaos.lambdaMax" → "chaos/lambdaMax", "learningRate" → "run/learningRate". Evaluations of anything
 * but "heldOut" get "evaluation/" in front, lest they mix with the training curve of the same name.
 */
export function tagOf(key: string, kind: StepRecord["kind"]): string {
  const dot = key.lastIndexOf(".");
  const [use, name] = dot < 0 ? ["run", key] : [key.slice(0, dot), key.slice(dot + 1)];
  const tag = key === "loss" ? "loss/total" : perTerm.has(name) ? `${name}/${use}` : `${use}/${name}`;
  return kind === "evaluation" && use !== "heldOut" ? `evaluation/${tag}` : tag;
}

/** All scalars of a record: its values, and its ledger as "ledger.cosine/chaos". */
export function scalarsOf({ kind, values, ledger = [] }: StepRecord): readonly { readonly tag: string; readonly simpleValue: number }[] {
  return [
    ...Object.entries(values).map(([key, value]) => ({ tag: tagOf(key, kind), simpleValue: value })),
    ...ledger.flatMap(({ term, gradientNorm, cosine, ms }) => [
      { tag: `ledger.gradientNorm/${term}`, simpleValue: gradientNorm },
      { tag: `ledger.cosine/${term}`, simpleValue: cosine },
      { tag: `ledger.ms/${term}`, simpleValue: ms },
    ]),
  ];
}
