// Locks a run folder and holds it until it is killed.
import { lockRun } from "../../../src/node/index.ts";

const [root = ""] = process.argv.slice(2);
const lock = await lockRun(root);
process.stdout.write(`${JSON.stringify({ pid: process.pid, takenOver: lock.takenOver ?? null })}\n`);
setInterval(() => undefined, 1_000);
