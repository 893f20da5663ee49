import { readFileSync } from "node:fs";
import { errnoOf } from "./io-error.ts";

/** True where a process of this number runs on this machine, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
    // EPERM: it lives, but belongs to someone else.
    if (errnoOf(error) === "EPERM") return true;
    throw error;
  }
}

/**
 * Tells a process from a later one with the same number: boot and start time from /proc. `null` where the system has no /proc or the
 * process is gone; then only the number can be compared.
 */
export function birthOf(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is a name in parentheses that may hold spaces; the 22nd field is the start time in clock ticks.
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return start === undefined ? null : `${boot}/${start}`;
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(errnoOf(error))) return null;
    throw error;
  }
}
