import type { GptOptions } from "./config.ts";

/** Sizes with a name, for bytes (vocabulary 256) unless spread over: `gpt({ ...presets.nano, vocabulary: 65 })`. */
export type PresetName = "nano" | "micro" | "mini" | "gpt2";

/** `nano` learns in a minute on two cores; `micro` and `mini` are nanoGPT's CPU and GPU character settings; `gpt2` is GPT-2 Small. */
export const presets: Readonly<Record<PresetName, GptOptions>> = Object.freeze({
  nano: Object.freeze({ vocabulary: 256, context: 64, width: 64, layers: 2, heads: 4 }),
  micro: Object.freeze({ vocabulary: 256, context: 64, width: 128, layers: 4, heads: 4 }),
  mini: Object.freeze({ vocabulary: 256, context: 256, width: 384, layers: 6, heads: 6 }),
  gpt2: Object.freeze({ vocabulary: 50257, context: 1024, width: 768, layers: 12, heads: 12 }),
});
