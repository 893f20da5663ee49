export * from "./files/index.ts";
export * from "./generate/index.ts";
export * from "./model/index.ts";
