export { decodeSafetensors, readTensor, type Safetensors, type SafetensorsTensor } from "./decode.ts";
export type { SafetensorsArrays, SafetensorsDtype } from "./dtype.ts";
export { encodeSafetensors, type NamedTensor } from "./encode.ts";
export { headerBytes, parseHeader, type SafetensorsHeader, type SafetensorsInfo } from "./header.ts";
