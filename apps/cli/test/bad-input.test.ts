import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkpointFiles, findCheckpoint, type Json } from "@eitp/core";
import { lockRun, nodePlatform } from "@eitp/core/node";
import { beforeAll, describe, expect, test } from "vitest";
import { exportModel } from "../src/commands/export.ts";
import { resumeRun } from "../src/run/go-on.ts";
import { openSource } from "../src/run/source.ts";
import { failure, listener, prose, temporaryFolder, trainHere, write } from "./support.ts";

const folder = temporaryFolder();
const text = write(folder, "prose.txt", prose);
let runs = 0;
const fresh = (): string => join(folder, `run-${runs++}`);
const trained = (...more: readonly string[]): Promise<unknown> =>
  trainHere([`data.inputs=[${text}]`, "training.steps=2", "checkpoint.every=1", `out=${fresh()}`, ...more]);

describe("text that cannot be learnt from", () => {
  test.each<[name: string, content: string | Uint8Array, ...expected: string[]]>([
    ["an empty file", "", "data:", "empty"],
    ["a file shorter than one context", "abc", "data:", "too short"],
    ["invalid UTF-8", Uint8Array.of(0x61, 0x62, 0xff, 0x63), "data:", "UTF-8", "--replace-invalid"],
    ["a binary file", Uint8Array.from({ length: 4000 }, (_, i) => (i * 7) % 256), "data:", "bad.txt"],
  ])("%s", async (_name, content, ...expected) => {
    const bad = write(folder, "bad.txt", content);
    const message = await failure(trained(`data.inputs=[${bad}]`, "data.validationFraction=0", "evaluation.every=0"));
    for (const part of expected) expect(message.toLowerCase()).toContain(part.toLowerCase());
  });

  test("a missing path", async () => {
    expect(await failure(trained(`data.inputs=[${folder}/nowhere.txt]`))).toMatch(/^data: .*nowhere\.txt/);
  });

  test("invalid UTF-8 is replaced when asked, and counted", async () => {
    const bytes = Buffer.concat([Buffer.from(prose), Buffer.of(0xff, 0xfe), Buffer.from(prose)]);
    const out = listener();
    await trainHere(
      [`data.inputs=[${write(folder, "invalid.txt", bytes)}]`, "data.replaceInvalid=true", "training.steps=1", `out=${fresh()}`],
      out,
    );
    expect(out.said.join("\n")).toMatch(/warning: .*invalid\.txt: 2 invalid UTF-8 sequences were replaced/);
  });

  test("no text at all, and no folder", async () => {
    expect(await failure(trained("data.inputs=[]"))).toMatch(/^usage: No text was named/);
    expect(await failure(trained("out=null"))).toMatch(/^usage: No run folder was named/);
    expect(await failure(trained("data.inputs=[builtin:ulysses]"))).toMatch(/^usage: There is no corpus builtin:ulysses/);
  });

  test("a vocabulary smaller than the tokenizer's", async () => {
    expect(await failure(trained("model.vocabulary=255"))).toMatch(
      /^usage: model\.vocabulary is 255, but the tokenizer "bytes" has 256 ids/,
    );
  });

  test("a tokenizer file that is missing or none", async () => {
    expect(await failure(trained(`data.tokenizer=${folder}/none.json`))).toMatch(/^data: There is no tokenizer/);
    expect(await failure(trained(`data.tokenizer=${text}`))).toMatch(/^data: .*is not JSON/);
  });
});

describe("run folders", () => {
  test("a folder with a run, or with something else, is not mixed with a new one", async () => {
    const out = fresh();
    await trained(`out=${out}`);
    expect(await failure(trained(`out=${out}`))).toMatch(/^usage: .*already holds a run\. Go on with `eitp resume .*--overwrite/);
    await trainHere([`data.inputs=[${text}]`, "training.steps=1", `out=${out}`], listener(), { overwrite: true });
    expect((await openSource(out)).checkpoint?.saved.step).toBe(1);
    const other = temporaryFolder();
    write(other, "letter.txt", "dear");
    const refusal = trainHere([`data.inputs=[${text}]`, `out=${other}`], listener(), { overwrite: true });
    expect(await failure(refusal)).toMatch(/^usage: .*is not empty and holds no run \(letter\.txt\)/);
  });

  test("a folder of dot files, or a run with something beside it, is never emptied: a slip of the path must not cost a home folder", async () => {
    const home = temporaryFolder();
    write(home, ".bashrc", "mine");
    const refused = (out: string) => failure(trainHere([`data.inputs=[${text}]`, `out=${out}`], listener(), { overwrite: true }));
    expect(await refused(home)).toMatch(/^usage: .*is not empty and holds no run \(\.bashrc\); nothing was touched/);
    const mixed = fresh();
    await trained(`out=${mixed}`);
    write(mixed, "notes.md", "mine");
    expect(await refused(mixed)).toMatch(/^usage: .*holds more than a run \(notes\.md\); nothing was touched/);
    for (const [folder, name] of [
      [home, ".bashrc"],
      [mixed, "notes.md"],
    ] as const)
      expect(readFileSync(join(folder, name), "utf8")).toBe("mine");
    expect((await openSource(mixed)).checkpoint?.saved.step).toBe(2);
  });

  test("a folder of the user's that has names of ours is not taken for a run", async () => {
    const mine = temporaryFolder();
    for (const name of ["data", "config.json", ".tmp-notes"]) write(mine, name, "mine");
    for (const overwrite of [false, true]) {
      const refusal = trainHere([`data.inputs=[${text}]`, `out=${mine}`], listener(), { overwrite });
      expect(await failure(refusal)).toMatch(/^usage: .*is not empty and holds no run \(\.tmp-notes, config\.json, data\)/);
    }
    write(mine, "tokenizer.eitp.json", "{}");
    expect(await failure(trained(`out=${mine}`))).toMatch(/^usage: .*holds no run \(\.tmp-notes, data\)/);
    for (const name of ["data", "config.json", ".tmp-notes"]) expect(readFileSync(join(mine, name), "utf8")).toBe("mine");
  });

  test("a mistake does not cost the run that --overwrite would replace", async () => {
    const out = fresh();
    await trained(`out=${out}`);
    const again = (...more: readonly string[]) =>
      failure(trainHere([`data.inputs=[${text}]`, `out=${out}`, ...more], listener(), { overwrite: true }));
    expect(await again(`data.inputs=[${folder}/typo.txt]`)).toMatch(/^data: There is no file or folder/);
    expect(await again(`data.tokenizer=${folder}/none.json`)).toMatch(/^data: There is no tokenizer/);
    expect(await again("model.vocabulary=7")).toMatch(/^usage: model\.vocabulary is 7/);
    expect(await again(`model.from=${folder}/none`)).toMatch(/^usage: .*does not exist/);
    expect(await again(`model.from=${out}`)).toMatch(/^usage: .*lies in the run folder .*Choose another --out/);
    expect(await again(`data.inputs=[${out}/metrics.jsonl]`)).toMatch(/^usage: .*lies in the run folder/);
    expect((await openSource(out)).checkpoint?.saved.step).toBe(2);
  });

  test("a run that ended before its first step is no obstacle to the next try", async () => {
    const out = fresh();
    expect(await failure(trained(`out=${out}`, `data.inputs=[${write(folder, "none.txt", "")}]`))).toMatch(/^data: .*is empty/);
    await trained(`out=${out}`);
    expect((await openSource(out)).checkpoint?.saved.step).toBe(2);
  });

  test("what a run left that was killed before it began is no obstacle", async () => {
    const out = temporaryFolder();
    write(out, "tokenizer.eitp.json", "{}");
    await trained(`out=${out}`);
    expect((await openSource(out)).checkpoint?.saved.step).toBe(2);
  });

  test("a file where the run folder should be", async () => {
    expect(await failure(trained(`out=${text}`))).toMatch(/^io: .*A file of that name is in the way: choose another folder/);
  });

  test("two runs on one folder", async () => {
    const out = fresh();
    const lock = await lockRun(out);
    expect(await failure(trained(`out=${out}`))).toMatch(/^busy: .*in use by process/);
    await lock.release();
  });
});

describe("checkpoints", () => {
  let run = "";
  beforeAll(async () => {
    run = fresh();
    await trained(`out=${run}`);
  });
  const copy = (): string => {
    const path = fresh();
    cpSync(run, path, { recursive: true });
    return path;
  };
  const file = (path: string, step: number, name: string): string => join(path, `checkpoints/step-0000000${step}`, name);
  const resume = async (path: string, which: "latest" | number = "latest"): Promise<string[]> => {
    const out = listener();
    const interruption = { signal: new AbortController().signal, abort: () => undefined, release: () => undefined };
    await resumeRun(path, { which, output: out, interruption });
    return out.said;
  };

  test.each<[name: string, damage: (bytes: Buffer) => Uint8Array]>([
    ["truncated", (bytes) => bytes.subarray(0, bytes.length - 9)],
    ["bit-flipped", (bytes) => bytes.map((byte, i) => (i === bytes.length - 5 ? byte ^ 1 : byte))],
  ])("a %s newest checkpoint is passed over, and said so", async (_name, damage) => {
    const path = copy();
    const victim = file(path, 2, "model.safetensors");
    writeFileSync(victim, damage(readFileSync(victim)));
    expect((await resume(path)).join("\n")).toMatch(
      /warning: passed over a damaged checkpoint: .*model\.safetensors does not match its checksum[\s\S]*going on from .*step-00000001/,
    );
    // What was damaged has been trained again.
    expect((await openSource(path)).checkpoint?.saved.step).toBe(2);
  });

  test("a damaged one that was asked for by number is refused", async () => {
    const path = copy();
    writeFileSync(file(path, 2, "state.json"), readFileSync(file(path, 2, "state.json")).subarray(0, 40));
    expect(await failure(resume(path, 2))).toMatch(/^data: .*state\.json is not JSON/);
    expect(await failure(resume(path, 7))).toMatch(/^data: no checkpoint of step 7/);
  });

  test("one from a newer schema, and one from another configuration", async () => {
    const newer = copy();
    for (const step of [1, 2]) {
      const state = JSON.parse(readFileSync(file(newer, step, "state.json"), "utf8"));
      writeFileSync(file(newer, step, "state.json"), JSON.stringify({ ...state, schemaVersion: 99 }));
    }
    expect(await failure(resume(newer))).toMatch(/^data: [\s\S]*schema version 99.*update EIT-P/);

    const foreign = copy();
    const { store } = nodePlatform(foreign);
    const { folder: at, skipped: _, ...checkpoint } = await findCheckpoint(store, 2);
    const config = checkpoint.config as { readonly model: { readonly [key: string]: Json } };
    const changed = { ...config, model: { ...config.model, dropout: 0.5 } };
    await store.commit(at, await checkpointFiles({ ...checkpoint, config: changed }));
    expect(await failure(resume(foreign))).toMatch(/^data: .*belongs to another configuration: model\.dropout is 0\.5, in config\.json 0/);
  });

  test("a folder without a run", async () => {
    expect(await failure(resume(folder))).toMatch(/^usage: .*holds no run/);
    expect(await failure(openSource(join(folder, "nowhere")))).toMatch(/^usage: .*does not exist/);
    expect(await failure(openSource(text))).toMatch(/^usage: .*is a file/);
    expect(await failure(openSource(folder))).toMatch(/^usage: .*holds neither run\.json/);
  });
});

describe("export", () => {
  test.each(["model.positions=rotary", "model.positions=alibi", "model.positions=none", "model.tokenShift=true"])(
    "a model with %s is refused: GPT-2 cannot express it",
    async (setting) => {
      const run = fresh();
      await trained(`out=${run}`, setting, "model.width=16");
      const flags = { format: "hf", out: join(folder, "hf"), checkpoint: "latest", backend: "auto", quiet: true };
      expect(await failure(exportModel(run, flags))).toMatch(/^usage: a Hugging Face GPT-2 cannot express/);
    },
  );
});

describe("numbers that are not finite", () => {
  test("a NaN in the weights a run starts from is named, and the run fails cleanly", async () => {
    const run = fresh();
    await trained(`out=${run}`);
    const { store } = nodePlatform(run);
    const { folder: at, skipped: _, ...checkpoint } = await findCheckpoint(store, "latest");
    const tensors = new Map(checkpoint.saved.tensors);
    const weight = tensors.get("params/h.0.ln_1.weight");
    tensors.set("params/h.0.ln_1.weight", { dtype: "float32", shape: weight?.shape ?? [], data: new Float32Array(8).fill(Number.NaN) });
    await store.commit(at, await checkpointFiles({ ...checkpoint, saved: { ...checkpoint.saved, tensors } }));
    const next = fresh();
    const message = await failure(
      trained(`model.from=${run}`, `out=${next}`, "evaluation.every=0", "model.width=null", "model.context=null"),
    );
    expect(message).toMatch(/^nonFinite: .*h\.0\.ln_1\.weight/);
    expect(JSON.parse(readFileSync(join(next, "run.json"), "utf8"))).toMatchObject({ status: "failed" });
  });
});
