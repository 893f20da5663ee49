export { type BuildOptions, buildAddon } from "./build.ts";
export { whyNotNative } from "./load.ts";
export { type NativeInfo, type NativeOptions, startNative } from "./start.ts";
