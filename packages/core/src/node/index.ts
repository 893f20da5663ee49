export { syncFolder } from "./calls.ts";
export { errnoOf, type IoContext, ioError } from "./io-error.ts";
export { type LockOwner, lockRun, type RunLock } from "./lock.ts";
export { nodePlatform } from "./platform.ts";
export { writeFileAtomically } from "./write-file.ts";
