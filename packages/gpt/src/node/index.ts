export { folderSource } from "./folder-source.ts";
export { loadHuggingFace, type SaveHuggingFaceOptions, saveHuggingFace } from "./hugging-face.ts";
