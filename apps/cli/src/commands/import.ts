import { basename, join, resolve } from "node:path";
import { adamW, checkpointFiles, createTrainer, crossEntropy, type Json } from "@eitp/core";
import { lockRun, nodePlatform } from "@eitp/core/node";
import { useBackend } from "@eitp/engine";
import { checkConfig, gpt, summary, toParams } from "@eitp/gpt";
import { writeRunFile } from "@eitp/lab";
import { memoryTokens, textDataset } from "@eitp/text";
import { loadConfiguration } from "../config/load.ts";
import { formatCount } from "../output/format.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { claimFolder } from "../run/claim.ts";
import { completed, runFiles } from "../run/folder.ts";
import { openSource, tokenizerOf } from "../run/source.ts";
import { saveTokenizer } from "../run/tokenizer.ts";

export interface ImportFlags extends OutputOptions {
  readonly out: string;
  readonly tokenizer?: string;
  readonly dropout?: number;
}

/** `eitp import`: a run folder with the model as its checkpoint of step 0. */
export async function importModel(folder: string, flags: ImportFlags): Promise<void> {
  const out = output(flags);
  const { tokenizer: name, dropout } = flags;
  const source = await openSource(folder, { ...(name !== undefined && { tokenizer: name }), ...(dropout !== undefined && { dropout }) });
  const tokenizer = tokenizerOf(source);
  const model = gpt(checkConfig(source.model));
  const { name: backend } = await useBackend("auto");
  const lock = await lockRun(flags.out);
  try {
    const clear = await claimFolder(flags.out, false);
    await clear();
    const { config } = await loadConfiguration({});
    const full = completed({ ...config, out: flags.out, model: { ...config.model, from: folder } }, model.config);
    const asJson = JSON.parse(JSON.stringify(full)) as Json;
    const parameters = summary(model.structure).parameters;
    // A trainer that never steps knows the shape of everything a checkpoint holds.
    const trainer = await createTrainer({
      model: { ...model, init: () => toParams(source.params) },
      terms: [{ term: crossEntropy(), weight: 1 }],
      optimizer: adamW({ learningRate: full.optimizer.learningRate }),
      dataset: textDataset({ tokens: memoryTokens(new Int32Array(2)), shape: { sequences: 1, length: 1 } }),
      seed: full.training.seed,
    });
    const saved = await trainer.save();
    trainer.dispose();
    const checkpoint = {
      saved,
      progress: { best: null, since: 0 },
      seed: full.training.seed,
      dataset: "imported",
      backend,
      config: asJson,
    };
    await saveTokenizer(tokenizer, join(flags.out, runFiles.tokenizer));
    await writeRunFile(flags.out, runFiles.config, JSON.parse(JSON.stringify(full)));
    await nodePlatform(flags.out).store.commit(`${runFiles.checkpoints}/step-00000000`, await checkpointFiles(checkpoint));
    await writeRunFile(flags.out, runFiles.run, {
      schemaVersion: 1,
      name: basename(resolve(flags.out)),
      createdAt: new Date().toISOString(),
      command: ["eitp", ...process.argv.slice(2)],
      status: "finished",
      seed: full.training.seed,
      backend,
      parameters,
    });
    out.result({ run: flags.out, parameters, tokenizer: tokenizer.name }, () =>
      [
        `wrote ${flags.out} (${formatCount(parameters)} parameters)`,
        `try: eitp generate ${flags.out} --prompt "…"`,
        `     eitp train --from ${flags.out} --data <text> --out <run>`,
      ].join("\n"),
    );
  } finally {
    await lock.release();
  }
}
