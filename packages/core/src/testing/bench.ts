import { adam } from "../optim/index.ts";
import type { AnyLossTerm, AnyOptimizer, BatchShape, Model, TermUse } from "../spec/index.ts";
import { crossEntropy } from "../terms/cross-entropy.ts";
import type { TrainerOptions } from "../train/options.ts";
import { createTrainer, type Trainer } from "../train/trainer.ts";
import { chainDataset } from "./data.ts";
import type { LawOptions, MakeTerm } from "./law.ts";
import { type Scene, scene } from "./scene.ts";
import { twoLayer } from "./two-layer.ts";

/** A run of the term under test. */
interface RunOptions {
  /** "beside" cross-entropy (default); "absent": cross-entropy without the term; "alone": the term without cross-entropy. */
  readonly company?: "beside" | "absent" | "alone";
  /** In place of a fresh term. */
  readonly term?: AnyLossTerm;
  /** Of the term; default 0.1. */
  readonly weight?: number;
  /** Micro-batches that the four sequences of a step are cut into; default 1. */
  readonly parts?: number;
  /** The list of uses as the trainer gets it. */
  readonly arrange?: (uses: readonly TermUse[]) => readonly TermUse[];
  readonly optimizer?: AnyOptimizer;
  readonly more?: Partial<TrainerOptions>;
}

/** Where a law puts terms to work; `dispose` releases everything it handed out. */
export interface Bench {
  readonly model: Model;
  /** Of one whole step. */
  readonly batch: BatchShape;
  /** The name of the term under test, which is its use's name too. */
  readonly name: string;
  make(): AnyLossTerm;
  scene(term?: AnyLossTerm, batch?: BatchShape): Scene;
  trainer(options?: RunOptions): Promise<Trainer>;
  dispose(): void;
}

const seed = 3;
const asListed = (uses: readonly TermUse[]): readonly TermUse[] => uses;

export function bench(make: MakeTerm, { beside = () => [], model = twoLayer(), trainer: create = createTrainer }: LawOptions): Bench {
  const batch: BatchShape = { sequences: 4, length: 5 };
  const out: { dispose(): void }[] = [];
  return {
    model,
    batch,
    name: make().name,
    make,
    scene: (term = make(), shape = batch) => {
      const made = scene({ term, beside: beside(), model, batch: shape, seed });
      out.push(made);
      return made;
    },
    trainer: async ({ company = "beside", term, weight = 0.1, parts = 1, arrange = asListed, optimizer, more = {} } = {}) => {
      const uses: readonly TermUse[] = [
        ...(company === "alone" ? [] : [{ term: crossEntropy(), name: "reference-ce", weight: 1 }]),
        ...beside().map((use) => (company === "alone" ? { ...use, weight: 0 } : use)),
        ...(company === "absent" ? [] : [{ term: term ?? make(), weight }]),
      ];
      const trainer = await create({
        model,
        terms: arrange(uses),
        dataset: chainDataset({ vocabulary: model.shape.vocabulary, shape: { ...batch, sequences: batch.sequences / parts } }),
        optimizer: optimizer ?? adam({ learningRate: 1e-2 }),
        microBatches: parts,
        seed,
        ledgerEvery: 0,
        ...more,
      });
      out.push(trainer);
      return trainer;
    },
    dispose: () => {
      for (const made of out) made.dispose();
    },
  };
}

/** Steps the trainer on; resolves when the last record has been read. */
export async function run(trainer: Trainer, steps: number): Promise<Trainer> {
  for (let i = 0; i < steps; i++) await (await trainer.step()).record;
  return trainer;
}
