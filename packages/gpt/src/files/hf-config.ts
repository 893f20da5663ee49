import { EitpError } from "@eitp/engine/error";
import { checkConfig, type GptConfig } from "../model/config.ts";
import type { JsonObject } from "./file-source.ts";

/** What `transformers.GPT2Config` assumes where `config.json` is silent. */
const defaults: JsonObject = {
  vocab_size: 50257,
  n_positions: 1024,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
  resid_pdrop: 0.1,
  embd_pdrop: 0.1,
  attn_pdrop: 0.1,
  layer_norm_epsilon: 1e-5,
  initializer_range: 0.02,
  activation_function: "gelu_new",
  eos_token_id: 50256,
};
/** Features that change what the model computes, with the one value this model has. */
const fixed: JsonObject = {
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
  reorder_and_upcast_attn: false,
  add_cross_attention: false,
  is_encoder_decoder: false,
  tie_word_embeddings: true,
};

/**
 * The model that a Hugging Face `config.json` describes.
 * @param json its parsed content
 * @param file named in errors
 * @param dropout used instead of the file's, which may have three different ones
 * @throws EitpError "data" where it is not a GPT-2, or one with a feature this model does not have
 * @example
 * ```ts
 * configFromHuggingFace({ model_type: "gpt2", vocab_size: 256, n_positions: 64, n_embd: 64, n_layer: 2, n_head: 4 }).width; // 64
 * ```
 */
export function configFromHuggingFace(json: JsonObject, file = "config.json", dropout?: number): GptConfig {
  const get = (key: string): unknown => json[key] ?? defaults[key];
  const refuse = (key: string, expected: string): never => {
    throw new EitpError("data", `${file}: ${key} is ${JSON.stringify(json[key])}; expected ${expected}.`);
  };
  if (json["model_type"] !== "gpt2") refuse("model_type", '"gpt2", the one architecture read here');
  if (get("activation_function") !== "gelu_new") refuse("activation_function", '"gelu_new"');
  for (const [key, value] of Object.entries(fixed))
    if ((json[key] ?? value) !== value) refuse(key, `${value}: this model has no other form`);
  if (json["quantization_config"] != null) refuse("quantization_config", "none; load it in transformers and save it dequantised");

  const number = (key: string): number => {
    const value = get(key);
    return typeof value === "number" ? value : refuse(key, "a number");
  };
  const inner = json["n_inner"] ?? 4 * number("n_embd");
  if (inner !== 4 * number("n_embd")) refuse("n_inner", `null or 4 × n_embd = ${4 * number("n_embd")}`);
  const drops = ["resid_pdrop", "embd_pdrop", "attn_pdrop"].map(number);
  if (dropout === undefined && new Set(drops).size > 1) {
    throw new EitpError(
      "data",
      `${file}: resid_pdrop, embd_pdrop and attn_pdrop are ${drops}; this model has one dropout. Pass the one you want (dropout, in a terminal --dropout).`,
    );
  }
  try {
    return checkConfig({
      vocabulary: number("vocab_size"),
      context: number("n_positions"),
      width: number("n_embd"),
      layers: number("n_layer"),
      heads: number("n_head"),
      dropout: dropout ?? (drops[0] as number),
      epsilon: number("layer_norm_epsilon"),
      initStd: number("initializer_range"),
    });
  } catch (cause) {
    if (!EitpError.is(cause)) throw cause;
    throw new EitpError("data", `${file}: ${cause.message}`, { cause });
  }
}

/**
 * Ids that end a text, from `config.json` or `generation_config.json`; those outside the vocabulary can never come and are left out.
 * @throws EitpError "data" where `eos_token_id` is neither an integer, a list of them, nor null
 */
export function endOfTextOf(json: JsonObject, vocabulary: number, file = "config.json"): readonly number[] {
  const ids = json["eos_token_id"] === undefined ? defaults["eos_token_id"] : json["eos_token_id"];
  const list: unknown[] = Array.isArray(ids) ? ids : ids === null ? [] : [ids];
  if (!list.every((id): id is number => Number.isSafeInteger(id))) {
    throw new EitpError("data", `${file}: eos_token_id is ${JSON.stringify(ids)}; expected an integer, a list of integers, or null.`);
  }
  return list.filter((id) => id >= 0 && id < vocabulary);
}

/**
 * `config.json` for a model, as `transformers` writes it.
 * @param endOfText ids that end a text; written as `eos_token_id`
 * @throws EitpError "usage" for a model that GPT-2 cannot express, naming the features
 */
export function configToHuggingFace(config: GptConfig, endOfText: readonly number[] = []): JsonObject {
  const beyond = [
    ...(config.positions === "learned" ? [] : [`positions "${config.positions}" (GPT-2 has only learned ones)`]),
    ...(config.tokenShift ? ["token shift"] : []),
    ...(config.logN ? ["log-n attention scaling"] : []),
  ];
  if (beyond.length > 0) {
    throw new EitpError(
      "usage",
      `a Hugging Face GPT-2 cannot express ${beyond.join(", ")}. Keep this model as a checkpoint of ours, ` +
        'or train one with positions "learned", tokenShift false and logN false to export it.',
    );
  }
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    ...fixed,
    activation_function: "gelu_new",
    vocab_size: config.vocabulary,
    n_positions: config.context,
    n_embd: config.width,
    n_layer: config.layers,
    n_head: config.heads,
    n_inner: null,
    resid_pdrop: config.dropout,
    embd_pdrop: config.dropout,
    attn_pdrop: config.dropout,
    layer_norm_epsilon: config.epsilon,
    initializer_range: config.initStd,
    ...specialTokens(endOfText),
    dtype: "float32",
    use_cache: true,
  };
}

/** `generation_config.json`: greedy, with these ids ending a text. */
export function generationConfig(endOfText: readonly number[] = []): JsonObject {
  return { _from_model_config: true, ...specialTokens(endOfText), use_cache: true };
}

/** Written even when null: GPT-2's own default, 50256, is outside most vocabularies. */
function specialTokens(endOfText: readonly number[]): JsonObject {
  const first = endOfText[0] ?? null;
  return { bos_token_id: first, eos_token_id: endOfText.length > 1 ? endOfText : first };
}
