import { EitpError } from "@eitp/engine/error";
import type { TrainOptions } from "./options.ts";

const patience = 5;

/**
 * Live tensors must be constant at equal phase of all cadences, once warm. Fails when one phase has grown on five occasions in a row: a term or
 * a hook keeps what it makes. (A single difference may be a user's own tensor.)
 */
export function leakWatch({ terms, ledgerEvery = 100, leakCheck = true }: TrainOptions): (step: number, live: number) => void {
  const seen = new Map<string, { live: number; grew: number }>();
  return (step, live) => {
    if (!leakCheck) return;
    const phase = [ledgerEvery > 0 && step % ledgerEvery === 0, ...terms.map(({ every = 1 }) => step % every === 0)].map(Number).join("");
    const before = seen.get(phase);
    const grew = before !== undefined && live > before.live ? before.grew + 1 : 0;
    seen.set(phase, { live, grew });
    if (before !== undefined && grew >= patience)
      throw new EitpError(
        "internal",
        `live tensors grow: ${before.live} to ${live} at step ${step}, ${patience} times in a row at this phase. A term or hook keeps tensors it makes; return state from \`evaluate\` or \`update\` instead, or set leakCheck: false`,
      );
  };
}
