import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { useBackend } from "@eitp/engine";
import { checkConfig } from "@eitp/gpt";
import { dispose, engine } from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { memoryOf, randomTrainer } from "../src/commands/estimate.ts";
import { loadConfiguration } from "../src/config/load.ts";
import { modelOptions } from "../src/config/rules.ts";
import { eitp, prose, temporaryFolder, write } from "./support.ts";

const folder = temporaryFolder();

describe("estimate", () => {
  test.each([
    ["wasm", ["training.batch=4"]],
    ["wasm", ["training.batch=3", "training.microBatches=2", "training.length=29", "model.width=60", "model.heads=3", "model.layers=3"]],
    ["wasm", ["training.batch=1", "training.length=4", "model.layers=8"]],
    ["cpu", ["training.batch=2", "training.length=29", "model.width=60", "model.heads=3", "model.layers=3"]],
  ])("on %s with %j: peak memory of a training step within 0.15 of what is measured", async (backend, set) => {
    await useBackend(backend);
    const { config } = await loadConfiguration({ set });
    const model = checkConfig(modelOptions(config.model, 256));
    const shape = { sequences: config.training.batch, length: config.training.length ?? model.context };
    const before = liveBytes();
    const watch = watchBuffers();
    const trainer = await randomTrainer(config, model, shape);
    for (let i = 0; i < 3; i++) await (await trainer.step()).record;
    const peak = watch.peak();
    watch.stop();
    dispose(trainer.release());
    trainer.dispose();
    expect(before).toBe(0);
    expect(Math.abs(memoryOf(config, model, shape, backend).total / peak - 1)).toBeLessThan(0.15);
  });

  test("parameters, work and time of a configuration", async () => {
    const ended = await eitp(["estimate", "--set", "model.preset=gpt2", "--tokenizer", "gpt2", "--measure", "0", "--json"]);
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ parameters: 124_439_808, tokensPerStep: 8192, measured: null });
  });
});

/** `tf.memory()` counts a view of a buffer again; what matters is distinct buffers. */
function watchBuffers(): { peak(): number; stop(): void } {
  const e = engine();
  const { trackTensor, removeDataId } = e;
  const sizes = new Map<object, number>();
  let [live, peak] = [0, 0];
  e.trackTensor = (tensor, backend) => {
    if (!sizes.has(tensor.dataId)) {
      sizes.set(tensor.dataId, 4 * tensor.size);
      live += 4 * tensor.size;
      peak = Math.max(peak, live);
    }
    trackTensor.call(e, tensor, backend);
  };
  e.removeDataId = (dataId, backend) => {
    live -= sizes.get(dataId) ?? 0;
    sizes.delete(dataId);
    removeDataId.call(e, dataId, backend);
  };
  return { peak: () => peak, stop: () => Object.assign(e, { trackTensor, removeDataId }) };
}
function liveBytes(): number {
  return engine().memory().numBytes;
}

describe("tokenizer", () => {
  test("train, encode, decode", async () => {
    const text = write(folder, "prose.txt", prose);
    const file = join(folder, "bpe.json");
    const trained = await eitp(["tokenizer", "train", "--data", text, "--vocabulary", "300", "--out", file, "--json"]);
    expect(JSON.parse(trained.stdout)).toEqual({ file, vocabularySize: 300 });
    expect(await eitp(["tokenizer", "train", "--data", text, "--out", text])).toMatchObject({ code: 64 });
    expect(readFileSync(text, "utf8")).toBe(prose);
    expect(await eitp(["tokenizer", "train", "--data", text, "--vocabulary", "300", "--out", file])).toMatchObject({ code: 0 });
    const encoded = await eitp(["tokenizer", "encode", file, "Call me Ishmael."]);
    expect(encoded.stdout.trim().split(" ").length).toBeLessThan(16);
    const decoded = await eitp(["tokenizer", "decode", file, ...encoded.stdout.trim().split(" ")]);
    expect(decoded.stdout).toBe("Call me Ishmael.");
    expect(await eitp(["tokenizer", "decode", "bytes", "99999"])).toMatchObject({ code: 65 });
    expect(await eitp(["tokenizer", "decode", "bytes", "x"])).toMatchObject({ code: 64 });
  });
});

describe("doctor and verify-resume", () => {
  test("doctor finds working backends with right derivatives", async () => {
    const ended = await eitp(["doctor", "--json"]);
    expect(ended.code).toBe(0);
    const { checks } = JSON.parse(ended.stdout) as {
      readonly checks: readonly { readonly name: string; readonly state: string; readonly found: string }[];
    };
    const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({ Node: "ok", "backend cpu": "ok", "backend wasm": "ok", disk: "ok", "builtin:moby-dick": "ok" });
    expect(checks.find(({ name }) => name === "backend wasm")?.found).toContain("second derivatives right");
  });

  test("a run that is killed and resumed has the bits of one that is not", async () => {
    const ended = await eitp(["verify-resume", "--kills", "2", "--steps", "24", "--json"]);
    expect(ended).toMatchObject({ code: 0 });
    expect(JSON.parse(ended.stdout)).toMatchObject({ identical: true, kills: 2, differences: [] });
  });
});

describe("start-up", () => {
  test("what is loaded before a command is known is commander, the error type and our own wiring", () => {
    expect([...loadedBy(new URL("../src/main.ts", import.meta.url).pathname)].sort()).toEqual([
      "@eitp/engine/error",
      "commander",
      "node:process",
    ]);
  });
});

/** Packages that a file imports statically, also through other files of ours. */
function loadedBy(path: string, seen: Set<string> = new Set()): ReadonlySet<string> {
  if (seen.has(path)) return new Set();
  seen.add(path);
  const found = new Set<string>();
  for (const [, name = ""] of readFileSync(path, "utf8").matchAll(/^(?:import|export) (?!type)[^;]*? from "([^"]+)";/gms)) {
    if (name.startsWith(".")) for (const inner of loadedBy(join(dirname(path), name), seen)) found.add(inner);
    else found.add(name);
  }
  return found;
}

const built = fileURLToPath(new URL("../dist/main.js", import.meta.url));
test.skipIf(!existsSync(built) || process.platform === "win32")("the built file answers --help in under 0.4 s", () => {
  // Processor time, which is what a clock shows on an idle machine: other work here is not what is measured.
  const { stdout, status } = spawnSync("sh", ["-c", '"$0" "$1" --help > /dev/null && times', process.execPath, built], {
    encoding: "utf8",
  });
  expect(status).toBe(0);
  const ofChildren = stdout.trim().split("\n").at(-1) ?? "";
  const seconds = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, rest]) => 60 * Number(minutes) + Number(rest));
  expect(seconds).toHaveLength(2);
  expect(seconds.reduce((a, b) => a + b)).toBeLessThan(0.4);
});
