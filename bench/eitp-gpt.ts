/**
 * The counterpart of torch_gpt.py: a training step of the real trainer, or greedy decoding with a cache, on one backend. Prints one JSON line.
 * Run: `node --conditions=@eitp/source --import tsx bench/eitp-gpt.ts L,D,H,T,B,V [--backend native] [--steps N] [--generate N] [--profile]`
 */
import { loadavg } from "node:os";
import { adamW, createTrainer, crossEntropy } from "@eitp/core";
import type { AnyDataset } from "@eitp/core/spec";
import { counterRng, useBackend } from "@eitp/engine";
import { gpt } from "@eitp/gpt";
import { countKernels } from "../packages/engine/bench/count-kernels.ts";

const [shape = "2,64,2,64,8,64", ...rest] = process.argv.slice(2);
const option = (name: string, otherwise: string): string => {
  const at = rest.indexOf(`--${name}`);
  return at < 0 ? otherwise : (rest[at + 1] ?? otherwise);
};
const [L, D, H, T, B, V] = shape.split(",").map(Number) as [number, number, number, number, number, number];
const backend = option("backend", "native");
const steps = Number(option("steps", "20"));

const choice = await useBackend(backend);
const model = gpt({ layers: L, width: D, heads: H, context: T, vocabulary: V });
const rng = counterRng(1).fold("data");
const ids = Int32Array.from({ length: B * T }, (_, i) => rng.bits(i) % V);
const targets = Int32Array.from({ length: B * T }, (_, i) => rng.bits(B * T + i) % V);
const dataset: AnyDataset = {
  fingerprint: "bench",
  shape: { sequences: B, length: T },
  start: () => null,
  next: async () => ({ batch: { tokens: ids, targets, shape: { sequences: B, length: T } }, cursor: null }),
};
const trainer = await createTrainer({
  model,
  dataset,
  terms: [{ term: crossEntropy(), weight: 1 }],
  optimizer: adamW({ learningRate: 1e-3, weightDecay: 0.01 }),
  seed: 1,
  ledgerEvery: 0,
});
const wall: number[] = [];
const cpu: number[] = [];
const profiled = rest.includes("--profile");
let counted: ReturnType<typeof countKernels> | undefined;
let loss = Number.NaN;
for (let i = 0; i < steps; i++) {
  if (profiled && i === steps - 5) counted = countKernels(choice.name);
  const [at, used] = [performance.now(), process.cpuUsage()];
  const { record } = await trainer.step();
  loss = (await record).values["loss"] as number;
  const { user, system } = process.cpuUsage(used);
  wall.push(performance.now() - at);
  cpu.push((user + system) / 1000);
}
const settled = (x: readonly number[]): number[] => x.slice(Math.min(5, x.length >> 1)).sort((a, b) => a - b);
const round = (x: number | undefined): number => Math.round((x ?? Number.NaN) * 10) / 10;
const [w, c] = [settled(wall), settled(cpu)];
process.stdout.write(
  `${JSON.stringify({
    ...{ eitp: choice.name, isa: choice.isa, node: process.version, shape, threads: choice.threads },
    ...{ median_ms: round(w[w.length >> 1]), best_ms: round(w[0]), cpu_ms: round(c[c.length >> 1]), cpu_best_ms: round(c[0]) },
    ...{ peak_mb: Math.round(process.resourceUsage().maxRSS / 1024), loss: Number(loss.toFixed(4)), load: loadavg()[0] },
  })}\n`,
);
if (counted !== undefined) process.stdout.write(counted.report(5));
