/**
 * Encoding speed of `gpt2Bpe()` against bare `gpt-tokenizer` in one run.
 *
 *     node --conditions=@eitp/source --import tsx packages/text/bench/encode.bench.ts [file] [rounds]
 */
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { compareEncoders, sampleText } from "./encode-ratio.ts";

const [file, rounds = "15"] = process.argv.slice(2);
const text = file === undefined ? sampleText(1_000_000) : readFileSync(file, "utf8");
const megabytes = Buffer.byteLength(text) / 1e6;
const { oursMs, theirsMs, medianRatio, minimumRatio } = await compareEncoders(text, Number(rounds));
const speed = (ms: readonly number[]): string => `${(megabytes / (Math.min(...ms) / 1e3)).toFixed(1)} MB/s`;
process.stdout.write(
  `${file ?? "sample text"}: ${megabytes.toFixed(2)} MB, ${rounds} rounds, load ${loadavg()[0]?.toFixed(1)}\n` +
    `gpt2Bpe() ${speed(oursMs)}, gpt-tokenizer ${speed(theirsMs)} (best rounds)\n` +
    `ratio: median ${medianRatio.toFixed(2)}, of minima ${minimumRatio.toFixed(2)}\n`,
);
