import { join } from "node:path";
import { flatten } from "../config/flatten.ts";
import { loadConfiguration } from "../config/load.ts";
import type { Config, ConfigInput } from "../config/types.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { mobyDick } from "../run/corpus.ts";
import { runFiles } from "../run/folder.ts";
import { readJsonFile } from "../run/json-file.ts";
import { startRun } from "../run/start.ts";
import { supervised } from "./train.ts";

export interface QuickstartFlags extends OutputOptions {
  readonly out: string;
  readonly steps?: number;
}

/** Measured on two cores: 73 seconds, 2.70 bits per byte; of the peaks 3e-3, 6e-3 and 1e-2 the second ends lowest. */
const recipe: ConfigInput = {
  data: { inputs: [mobyDick], split: "tail" },
  model: { preset: "nano" },
  training: { steps: 1600, batch: 8, seed: 1 },
  optimizer: { learningRate: 6e-3, beta2: 0.98, schedule: { kind: "cosine", warmup: 50, floor: 1e-4 } },
  evaluation: { every: 200, batches: 40 },
  checkpoint: { every: 200 },
  samples: { count: 3, prompt: "Captain Ahab ", maxTokens: 200, temperature: 0.7, topK: 40 },
};

/** `eitp quickstart`: what `npm start` runs. */
export async function quickstart(flags: QuickstartFlags): Promise<void> {
  const out = output(flags);
  const { out: folder, steps } = flags;
  const { config: full } = await loadConfiguration({ flags: flatten({ ...recipe, out: folder }, "quickstart") });
  const config = steps === undefined ? full : shortened(full, steps);
  out.note(
    [
      "EIT-P quickstart: a GPT of two layers learns Moby-Dick, byte by byte (90 % to learn from, the end of the book held out).",
      `It knows nothing at first (8 bits per byte); watch the loss fall. Everything goes to ${folder}.`,
    ].join("\n"),
  );
  const overwrite = await isQuickstart(folder);
  const command = ["eitp", ...process.argv.slice(2)];
  await supervised(out, async (interruption) => {
    const outcome = await startRun({ config, overwrite, command, output: out, interruption });
    if (outcome.reason === "aborted") return outcome;
    return { ...outcome, next: nextCommands(folder, config.training.steps) };
  });
}

/** The same with another number of steps; one that is shorter than the warm-up warms up for a part of it. */
function shortened(config: Config, steps: number): Config {
  const { optimizer, training } = config;
  const schedule = { ...optimizer.schedule, warmup: Math.min(optimizer.schedule.warmup, Math.floor(steps / 10)) };
  return { ...config, training: { ...training, steps }, optimizer: { ...optimizer, schedule } };
}

function nextCommands(folder: string, steps: number): readonly string[] {
  const eitp = process.env["npm_lifecycle_event"] === undefined ? "eitp" : "npm run -s eitp --";
  return [
    `${eitp} generate ${folder} --prompt "The whale"`,
    `${eitp} resume ${folder} --steps ${2 * steps}`,
    `${eitp} inspect ${folder}`,
    `${eitp} train --data <your text> --out runs/mine`,
  ];
}

/** Only what this command made is replaced without being asked. */
async function isQuickstart(folder: string): Promise<boolean> {
  const info = await readJsonFile(join(folder, runFiles.run), "the run");
  const command = info?.["command"];
  return Array.isArray(command) && command[1] === "quickstart";
}
