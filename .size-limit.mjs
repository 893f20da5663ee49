// Bytes a user pays for: bundled as for a tab, with everything of ours that comes along, gzip. About a tenth above what was measured on the date
// given: a number moves by decision, with a new date and the reason.
// tfjs is left out everywhere: it is the same for all, and the user's own.
const tfjs = ["@tensorflow/*"];
/** `imported` measures what tree-shaking leaves, so a name that drags in its neighbours shows. */
const entry = (name, path, imported, limit, ignore = tfjs) => ({
  name: `${name} ${imported}`,
  path,
  import: imported,
  limit,
  gzip: true,
  ignore,
});

export default [
  // 2026-11-25, 54 B: a loss term depends on this alone; it must stay types and one frozen object.
  entry("@eitp/core/spec", "packages/core/dist/spec/index.js", "{ lossTerm }", "200 B"),
  // 2026-11-25, 12.9 kB: the trainer without the engine. A third of it is the text of error messages.
  entry("@eitp/core without the engine", "packages/core/dist/index.js", "{ train }", "14 kB", [
    ...tfjs,
    "@eitp/engine",
    "@eitp/engine/error",
  ]),
  // 2026-11-25, 17.7 kB: what a tab loads to train on a term, the parts of the engine that training needs included.
  entry("@eitp/core", "packages/core/dist/index.js", "{ train, resume, adamW, cosine, clipByGlobalNorm, crossEntropy }", "19.5 kB"),
  // 2026-11-25, 12.3 kB: all of it but the wasm kernels, which only that backend loads (a test holds each of their two builds below 40 kB).
  entry("@eitp/engine", "packages/engine/dist/index.js", "*", "25 kB", [...tfjs, "@eitp/engine-native", "./kernels.generated-*"]),
  // 2026-11-25, 161 B: loaders use it without a tensor library.
  entry("@eitp/engine/error", "packages/engine/dist/error.js", "{ EitpError }", "300 B"),
  // 2026-11-25, 10.3 kB: a model and what it writes, the engine's operations included; no file formats.
  entry("@eitp/gpt", "packages/gpt/dist/index.js", "{ gpt, presets, generate }", "11.5 kB"),
  // 2026-11-25, 3.4 kB: bytes to batches; neither the GPT-2 vocabulary (1 MB) nor @huggingface/tokenizers may come along.
  entry("@eitp/text", "packages/text/dist/index.js", "{ bytes, datasetFromText }", "4 kB"),
];
