import { EitpError } from "@eitp/engine/error";
import type { AnyLossTerm, Model, TermUse } from "../spec/index.ts";
import type { createTrainer } from "../train/trainer.ts";
import { type Bench, bench } from "./bench.ts";

/** One promise a loss term keeps; `check` rejects with the reason where it does not. */
export interface Law {
  readonly name: string;
  check(): Promise<void>;
}

export interface LawOptions {
  /** Uses that the term `reads`; made anew for every law, because terms may hold closures. */
  readonly beside?: () => readonly TermUse[];
  /** Model to test on, for terms that need what {@link twoLayer} does not supply. */
  readonly model?: Model;
  /** The trainer the laws run the term in. Weight 0 and order are laws of the trainer: their proofs bring a wrong one. */
  readonly trainer?: typeof createTrainer;
}

/** What a law is written against: a maker of fresh terms, and somewhere to put them to work. */
export type MakeTerm = () => AnyLossTerm;

/** A law whose trainers and tensors are released however it ends. */
export function law(name: string, make: MakeTerm, options: LawOptions, body: (bench: Bench) => Promise<void>): Law {
  return {
    name,
    check: async () => {
      const b = bench(make, options);
      try {
        await body(b);
      } finally {
        b.dispose();
      }
    },
  };
}

/** @throws EitpError "usage" with the reason: the term, not this suite, is to be changed. */
export function must(ok: boolean, why: string): asserts ok {
  if (!ok) throw new EitpError("usage", why);
}
