export { type FileSource, filesInMemory, type JsonObject } from "./file-source.ts";
export { configFromHuggingFace, configToHuggingFace } from "./hf-config.ts";
export {
  type HuggingFaceExport,
  type HuggingFaceModel,
  huggingFaceFiles,
  type ReadHuggingFaceOptions,
  readHuggingFace,
} from "./hf-folder.ts";
export { paramsFromHuggingFace, paramsToHuggingFace } from "./hf-params.ts";
export { type HostParam, type HostParams, toHostParams, toParams } from "./host-params.ts";
