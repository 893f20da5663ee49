export * from "./files/index.ts";
export * from "./model/index.ts";
