import type { BatchShape, Cost } from "../../spec/index.ts";
import { type Bench, run } from "../bench.ts";
import { chainDataset } from "../data.ts";
import { must } from "../law.ts";
import { metered } from "../meter.ts";

/** Scalars and odd rows that no formula for a real model should have to mention. */
const slackBytes = 4096;

/**
 * What `cost` declares is what the term adds to a step beside cross-entropy, at two batch shapes. MACs are those of matrix products, forward
 * and backward, within a factor of 2 either way. Bytes are the growth of the step's peak, which a term may well leave where it was: so they
 * are only required to be at most twice what is declared.
 */
export async function costIsAsDeclared(bench: Bench): Promise<void> {
  const term = bench.make();
  if (term.cost === undefined) return;
  for (const batch of [bench.batch, { sequences: 2, length: 8 }]) {
    const { rng: _, ...context } = bench.scene(term, batch).context;
    const declared = term.cost(context);
    const [without, beside] = [await stepCost(bench, "absent", batch), await stepCost(bench, "beside", batch)];
    const [macs, bytes] = [beside.macs - without.macs, beside.bytes - without.bytes];
    const at = `a batch of ${batch.sequences} × ${batch.length} tokens; measured`;
    must(
      macs <= 2 * declared.macs && declared.macs <= 2 * macs,
      `\`cost\` declares ${declared.macs} MACs for ${at}: ${macs} (a factor of 2 is allowed)`,
    );
    must(bytes <= 2 * declared.bytes + slackBytes, `\`cost\` declares ${declared.bytes} bytes for ${at}: ${bytes} (twice is allowed)`);
  }
}

/** Of the second step: the first may warm caches. */
async function stepCost(bench: Bench, company: "absent" | "beside", shape: BatchShape): Promise<Cost> {
  const dataset = chainDataset({ vocabulary: bench.model.shape.vocabulary, shape });
  const trainer = await run(await bench.trainer({ company, weight: 1, more: { dataset } }), 1);
  return metered(async () => {
    await run(trainer, 1);
  });
}
