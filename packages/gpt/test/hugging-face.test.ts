import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors, type NamedTensor, type SafetensorsTensor } from "@eitp/core/safetensors";
import { counterRng, EitpError, useBackend } from "@eitp/engine";
import { checkConfig, filesInMemory, gpt, type HostParams, huggingFaceFiles, readHuggingFace, toHostParams, toParams } from "@eitp/gpt";
import { loadHuggingFace, saveHuggingFace } from "@eitp/gpt/node";
import { dispose, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import computed from "./fixtures/hugging-face.json" with { type: "json" };

const plain = join(import.meta.dirname, "fixtures/hugging-face");
const sharded = join(import.meta.dirname, "fixtures/hugging-face-sharded");
const scratch = (): Promise<string> => mkdtemp(join(tmpdir(), "eitp-hf-"));
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

beforeAll(() => useBackend("cpu"));

describe("a folder written by transformers", () => {
  test("gives its configuration, end of text and logits", async () => {
    const { config, params, endOfText, tokenizerFiles } = await loadHuggingFace(plain);
    expect(config).toEqual(
      checkConfig({ vocabulary: 23, context: 24, width: 12, layers: 2, heads: 3, dropout: 0.2, epsilon: 2e-5, initStd: 0.4 }),
    );
    expect(endOfText).toEqual([5]);
    expect(tokenizerFiles).toEqual({});

    const model = gpt(config);
    const onDevice = toParams(params);
    const tokens = tensor2d([computed.prompts[2] ?? []], undefined, "int32");
    const forward = { training: false, rng: counterRng(0) };
    const logits = tidy(() =>
      model
        .apply(onDevice, { tokens, targets: tokens }, new Set(["logits"]), forward)
        .logits?.flatten()
        .arraySync(),
    );
    expect(Math.max(...(logits ?? []).map((x, i) => Math.abs(x - (computed.logits.flat()[i] ?? NaN))))).toBeLessThan(2e-5);
    dispose([tokens, Object.values(onDevice)]);
  });

  test("in shards gives the same parameters", async () => {
    expect((await loadHuggingFace(sharded)).params).toEqual((await loadHuggingFace(plain)).params);
  });
});

/** The plain folder in memory, its tensors and configuration changed. */
async function changed(
  tensors: (all: Map<string, SafetensorsTensor>) => void,
  config: { readonly [key: string]: unknown } = {},
): Promise<ReturnType<typeof filesInMemory>> {
  const all = new Map(decodeSafetensors(await readFile(join(plain, "model.safetensors"))).tensors);
  tensors(all);
  const named = Array.from(all, ([name, tensor]): NamedTensor => ({ name, ...tensor }));
  const written: object = JSON.parse(await readFile(join(plain, "config.json"), "utf8"));
  return filesInMemory({ "config.json": json({ ...written, ...config }), "model.safetensors": encodeSafetensors(named) }, "folder");
}
const same = (): void => {};
const get = (all: Map<string, SafetensorsTensor>, name: string): SafetensorsTensor => {
  const tensor = all.get(name);
  if (tensor === undefined) throw new Error(`${name} is missing`);
  return tensor;
};

describe("other forms of the same model", () => {
  test.each<[string, (all: Map<string, SafetensorsTensor>) => void]>([
    [
      "names without the prefix",
      (all) => {
        for (const [name, tensor] of [...all]) all.delete(name) && all.set(name.replace("transformer.", ""), tensor);
      },
    ],
    ["a tied head", (all) => all.set("lm_head.weight", get(all, "transformer.wte.weight"))],
    [
      "the masks of old versions",
      (all) => {
        all.set("transformer.h.0.attn.bias", { dtype: "BOOL", shape: [1, 1, 2, 2], data: Uint8Array.of(1, 0, 1, 1) });
        all.set("h.1.attn.masked_bias", { dtype: "F32", shape: [], data: Float32Array.of(-1e4) });
      },
    ],
  ])("%s", async (_, change) => {
    expect((await readHuggingFace(await changed(change))).params).toEqual((await loadHuggingFace(plain)).params);
  });

  test("half precision is widened", async () => {
    const { params } = await readHuggingFace(
      await changed((all) => {
        for (const [name, { shape, data }] of all) all.set(name, { dtype: "BF16", shape, data: data as Float32Array });
      }),
    );
    const full = (await loadHuggingFace(plain)).params["wte.weight"]?.data[0] ?? NaN;
    expect(Math.abs((params["wte.weight"]?.data[0] ?? NaN) / full - 1)).toBeLessThan(2 ** -8);
  });
});

describe("refused, naming what is wrong", () => {
  test.each<[string, (all: Map<string, SafetensorsTensor>) => void, RegExp]>([
    ["a missing tensor", (all) => all.delete("transformer.h.1.ln_2.bias"), /h\.1\.ln_2\.bias \[12\] is missing/],
    [
      "two missing tensors",
      (all) => all.delete("transformer.ln_f.bias") && all.delete("transformer.wpe.weight"),
      /wpe.* is missing; ln_f.* is missing/,
    ],
    [
      "an unknown tensor",
      (all) => all.set("score.weight", { dtype: "F32", shape: [0], data: new Float32Array(0) }),
      /score\.weight is not a tensor/,
    ],
    [
      "a wrong shape",
      (all) => all.set("transformer.ln_f.bias", { dtype: "F32", shape: [3], data: new Float32Array(3) }),
      /ln_f\.bias has shape \[3\]; config.json says \[12\]/,
    ],
    [
      "an integer tensor",
      (all) => all.set("transformer.ln_f.bias", { dtype: "I32", shape: [12], data: new Int32Array(12) }),
      /ln_f\.bias is I32/,
    ],
    ["a name twice", (all) => all.set("ln_f.bias", get(all, "transformer.ln_f.bias")), /ln_f\.bias is there twice/],
    [
      "an untied head",
      (all) => all.set("lm_head.weight", { dtype: "F32", shape: [23, 12], data: new Float32Array(23 * 12) }),
      /lm_head\.weight differs from wte\.weight/,
    ],
  ])("%s", async (_, change, message) => {
    const reading = readHuggingFace(await changed(change));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toMatchObject({ code: "data" });
  });

  test.each<[object, RegExp]>([
    [{ model_type: "llama" }, /model_type is "llama"; expected "gpt2"/],
    [{ model_type: null }, /model_type is null/],
    [{ activation_function: "gelu" }, /activation_function is "gelu"; expected "gelu_new"/],
    [{ scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true; expected false/],
    [{ reorder_and_upcast_attn: true }, /reorder_and_upcast_attn/],
    [{ scale_attn_weights: false }, /scale_attn_weights is false; expected true/],
    [{ add_cross_attention: true }, /add_cross_attention/],
    [{ tie_word_embeddings: false }, /tie_word_embeddings/],
    [{ quantization_config: {} }, /quantization_config/],
    [{ n_inner: 7 }, /n_inner is 7; expected null or 4 × n_embd = 48/],
    [{ n_embd: "12" }, /n_embd is "12"; expected a number/],
    [{ n_head: 5 }, /config\.json: .*width 12 is not divisible by heads 5/],
    [{ n_layer: -1 }, /layers must be a whole number/],
    [{ attn_pdrop: 0.3 }, /resid_pdrop, embd_pdrop and attn_pdrop are 0.2,0.2,0.3/],
    [{ eos_token_id: "end" }, /eos_token_id is "end"/],
  ])("config.json with %j", async (config, message) => {
    const reading = readHuggingFace(await changed(same, { ...config }));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toMatchObject({ code: "data" });
  });

  test("three dropouts, unless one is chosen", async () => {
    const source = await changed(same, { attn_pdrop: 0.3 });
    expect((await readHuggingFace(source, { dropout: 0 })).config.dropout).toBe(0);
  });

  test("broken folders", async () => {
    const config = await readFile(join(plain, "config.json"));
    const index = (map: unknown): Uint8Array => json({ weight_map: map });
    const files = (more: { readonly [name: string]: Uint8Array }) =>
      readHuggingFace(filesInMemory({ "config.json": config, ...more }, "folder"));
    await expect(readHuggingFace(filesInMemory({}, "folder"))).rejects.toThrow(/folder has no config\.json/);
    await expect(readHuggingFace(filesInMemory({ "config.json": json([]) }, "folder"))).rejects.toThrow(/must hold a JSON object/);
    await expect(readHuggingFace(filesInMemory({ "config.json": Uint8Array.of(255) }, "folder"))).rejects.toThrow(/not valid JSON/);
    await expect(files({})).rejects.toThrow(/neither model\.safetensors nor model\.safetensors\.index\.json/);
    await expect(files({ "pytorch_model.bin": config })).rejects.toThrow(/pytorch_model\.bin is a pickle/);
    await expect(files({ "model.safetensors": config })).rejects.toThrow(/folder\/model\.safetensors: header length/);
    await expect(files({ "model.safetensors.index.json": json({}) })).rejects.toThrow(/weight_map is missing/);
    await expect(files({ "model.safetensors.index.json": index({ a: "../secret" }) })).rejects.toThrow(
      /shard "\.\.\/secret" is not in the folder/,
    );
    const shard = encodeSafetensors([{ name: "a", dtype: "F32", shape: [1], data: Float32Array.of(1) }]);
    await expect(files({ "model.safetensors.index.json": index({ b: "s" }), s: shard })).rejects.toThrow(/folder\/s holds "a"/);
    await expect(files({ "model.safetensors.index.json": index({ a: "s", b: "s" }), s: shard })).rejects.toThrow(/no shard holds: b/);
    await expect(loadHuggingFace(join(plain, "nowhere"))).rejects.toMatchObject({ code: "io" });
  });
});

describe("saving", () => {
  const config = checkConfig({ vocabulary: 7, context: 6, width: 4, layers: 1, heads: 2 });
  const fresh = async (): Promise<HostParams> => {
    const params = gpt(config).init(counterRng(3));
    const host = await toHostParams(params);
    dispose(Object.values(params));
    return host;
  };

  test("what is saved is loaded, tokenizer included", async () => {
    const folder = join(await scratch(), "new", "hf");
    const saved = {
      config,
      params: await fresh(),
      endOfText: [0],
      tokenizerFiles: { "merges.txt": new TextEncoder().encode("#version: 0.2\n") },
    };
    await saveHuggingFace(folder, saved);
    expect((await readdir(folder)).sort()).toEqual(["config.json", "generation_config.json", "merges.txt", "model.safetensors"]);
    expect(await readdir(join(folder, ".."))).toEqual(["hf"]);
    const { tokenizerFiles, ...loaded } = await loadHuggingFace(folder);
    expect(loaded).toEqual({ config, params: saved.params, endOfText: [0] });
    expect(new TextDecoder().decode(tokenizerFiles["merges.txt"])).toBe("#version: 0.2\n");
  });

  test("a folder in use is left alone unless told, and even then if it holds no model", async () => {
    const folder = await scratch();
    const params = await fresh();
    await writeFile(join(folder, "thesis.txt"), "important");
    await expect(saveHuggingFace(folder, { config, params })).rejects.toThrow(/is not empty \(thesis\.txt\)/);
    await expect(saveHuggingFace(folder, { config, params }, { overwrite: true })).rejects.toThrow(/holds other things than a model/);
    await writeFile(join(folder, "config.json"), "{}");
    await expect(saveHuggingFace(folder, { config, params }, { overwrite: true })).rejects.toThrow(
      /holds other things than a model \(thesis\.txt\)/,
    );
    expect((await readdir(folder)).sort()).toEqual(["config.json", "thesis.txt"]);

    const empty = join(folder, "empty");
    await mkdir(empty);
    await saveHuggingFace(empty, { config, params });
    await expect(saveHuggingFace(empty, { config, params })).rejects.toMatchObject({ code: "usage" });
    await saveHuggingFace(empty, { config, params, endOfText: [1] }, { overwrite: true });
    expect((await loadHuggingFace(empty)).endOfText).toEqual([1]);
  });

  test.each<[object, RegExp]>([
    [{ positions: "rotary" }, /cannot express positions "rotary"/],
    [{ positions: "alibi" }, /positions "alibi"/],
    [{ positions: "none" }, /positions "none"/],
    [{ tokenShift: true }, /token shift/],
    [{ logN: true }, /log-n attention scaling/],
    [{ positions: "rotary", tokenShift: true, logN: true }, /positions "rotary" .*, token shift, log-n .*to export it/],
  ])("a model with %j is refused", (option, message) => {
    const other = checkConfig({ ...config, ...option });
    expect(() => huggingFaceFiles({ config: other, params: {} })).toThrow(message);
    expect(() => huggingFaceFiles({ config: other, params: {} })).toThrow(EitpError);
  });

  test("parameters, tokens and files that do not fit are refused", async () => {
    const params = await fresh();
    const { "ln_f.bias": _, ...fewer } = params;
    expect(() => huggingFaceFiles({ config, params: fewer })).toThrow(/parameters to export: ln_f\.bias \[4\] is missing/);
    expect(() => huggingFaceFiles({ config, params, endOfText: [7] })).toThrow(/endOfText 7 is outside/);
    expect(() => huggingFaceFiles({ config, params, tokenizerFiles: { "../x": new Uint8Array() } })).toThrow(
      /"\.\.\/x" is not a tokenizer file/,
    );
  });
});
