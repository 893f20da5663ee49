export type { ConformanceCheck } from "./check.ts";
export { conformance } from "./conformance.ts";
