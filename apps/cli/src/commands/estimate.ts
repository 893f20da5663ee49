import { createTrainer, type Trainer } from "@eitp/core";
import type { BatchShape } from "@eitp/core/spec";
import { counterRng, isFused, keptLogitsBytes, useBackend } from "@eitp/engine";
import { checkConfig, estimateMemory, type GptConfig, gpt, type MemoryEstimate, macsPerToken, summary } from "@eitp/gpt";
import { memoryTokens, textDataset } from "@eitp/text";
import type { ConfigFlags } from "../config/flags.ts";
import { modelOptions } from "../config/rules.ts";
import type { Config } from "../config/types.ts";
import { formatBytes, formatCount, formatSeconds, formatShort, table } from "../output/format.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { optimizerOf, termsOf, transformsOf } from "../run/objective.ts";
import { openSource } from "../run/source.ts";
import { readTokenizer, standardTokenizer } from "../run/tokenizer.ts";
import { configurationOf } from "./configuration.ts";

export type EstimateFlags = ConfigFlags & OutputOptions & { readonly measure: number };

/** `eitp estimate`: what a configuration will need, from its structure, and what a step takes here, from a few real ones. */
export async function estimate(flags: EstimateFlags): Promise<void> {
  const out = output(flags);
  const config = await configurationOf(flags, out);
  const model = await modelOf(config);
  const shape = { sequences: config.training.batch, length: config.training.length ?? model.context };
  const size = summary(gpt(model).structure);
  const tokensPerStep = shape.sequences * shape.length * config.training.microBatches;
  // A backward pass is two forward passes' worth: one for the inputs of each product, one for its weights.
  const macsPerStep = 3 * macsPerToken(size, shape.length) * tokensPerStep;
  const { name: backend } = await useBackend(config.backend);
  const memory = memoryOf(config, model, shape, backend);
  const measured = flags.measure === 0 ? null : { backend, ...(await measure(config, model, shape, flags.measure)) };
  const value = {
    parameters: size.parameters,
    macsPerToken: macsPerToken(size, shape.length),
    tokensPerStep,
    macsPerStep,
    memory,
    measured,
  };
  out.result({ ...value, steps: config.training.steps }, () => {
    const seconds = measured === null ? null : measured.msPerStep / 1000;
    return table([
      ["parameters", formatCount(size.parameters)],
      ["work", `${formatShort(value.macsPerToken)} multiply-accumulates per token forward, ${formatShort(macsPerStep)} per training step`],
      ["step", `${formatCount(tokensPerStep)} tokens (${config.training.microBatches} × ${shape.sequences} × ${shape.length})`],
      ["memory", `${formatBytes(memory.total)} at most on ${backend}: ${memoryParts(memory)}`],
      ...(measured === null || seconds === null
        ? []
        : [
            [
              "time here",
              `${measured.msPerStep.toFixed(1)} ms per step on ${measured.backend} (median of ${flags.measure}), ${formatShort(tokensPerStep / seconds)} tokens/s`,
            ],
            [
              "whole run",
              `${formatSeconds(seconds * config.training.steps)} for ${formatCount(config.training.steps)} steps, evaluation and saving aside`,
            ],
          ]),
    ]);
  });
}

async function modelOf(config: Config): Promise<GptConfig> {
  if (config.model.from !== null) return (await openSource(config.model.from, { dropout: config.model.dropout })).model;
  const { tokenizer, endOfText } = config.data;
  // An alphabet depends on text that need not be there yet; 128 characters are many.
  if (tokenizer === "characters") return checkConfig(modelOptions(config.model, 128));
  const { vocabularySize } = (await standardTokenizer(tokenizer, endOfText)) ?? (await readTokenizer(tokenizer));
  return checkConfig(modelOptions(config.model, vocabularySize));
}

/** What a step of the configuration takes on the backend in use, whose operations are fused or composed. */
export function memoryOf(config: Config, model: GptConfig, shape: BatchShape, backend: string): MemoryEstimate {
  return estimateMemory(model, shape, {
    operations: isFused("EitLinear") ? "fused" : "composed",
    keptLogitsBytes: backend === "native" ? keptLogitsBytes : 0,
    microBatches: config.training.microBatches,
    transforms: transformsOf(config).length > 0,
  });
}

/** Activations and update are never there together, so that the parts are more than the total. */
function memoryParts({ parameters, gradients, moments, activations, backward, update }: MemoryEstimate): string {
  return Object.entries({ parameters, gradients, moments, activations, backward, update })
    .map(([name, bytes]) => `${name} ${formatBytes(bytes)}`)
    .join(", ");
}

interface Measured {
  readonly msPerStep: number;
}

async function measure(config: Config, model: GptConfig, shape: BatchShape, steps: number): Promise<Measured> {
  const trainer = await randomTrainer(config, model, shape);
  const times: number[] = [];
  // The first step also compiles and allocates.
  for (let i = 0; i <= steps; i++) {
    const begin = performance.now();
    const { record } = await trainer.step();
    await record;
    times.push(performance.now() - begin);
  }
  trainer.dispose();
  const sorted = times.slice(1).sort((a, b) => a - b);
  return { msPerStep: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}

/** A trainer of a configuration over random tokens. */
export async function randomTrainer(config: Config, model: GptConfig, shape: BatchShape): Promise<Trainer> {
  const random = counterRng(1).fold("estimate");
  const ids = Int32Array.from({ length: 4 * shape.sequences * shape.length + 1 }, (_, i) => random.bits(i) % model.vocabulary);
  return createTrainer({
    model: gpt(model),
    terms: termsOf(config),
    optimizer: optimizerOf(config),
    transforms: transformsOf(config),
    dataset: textDataset({ tokens: memoryTokens(ids), shape }),
    microBatches: config.training.microBatches,
    seed: config.training.seed,
    ledgerEvery: 0,
  });
}
