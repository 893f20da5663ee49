import { EitpError } from "@eitp/engine/error";
import { backendChecks } from "../doctor/backends.ts";
import type { Check } from "../doctor/check.ts";
import { diskCheck } from "../doctor/disk.ts";
import { corpusCheck, gitCheck, nodeCheck } from "../doctor/runtime.ts";
import { coloured, type OutputOptions, output } from "../output/output.ts";

const marks = { ok: ["32", "ok"], missing: ["33", "--"], broken: ["31", "!!"] } as const;

/** `eitp doctor`. Fails only where no backend works. */
export async function doctor(flags: OutputOptions): Promise<void> {
  const out = output(flags);
  const backends = await backendChecks();
  const checks: readonly Check[] = [nodeCheck(), ...backends, await diskCheck(process.cwd()), await corpusCheck(), await gitCheck()];
  out.result({ checks }, () =>
    checks
      .map(({ name, state, found, advice }) => {
        const [code, mark] = marks[state];
        return `${coloured(code, mark, process.stdout)}  ${name}: ${found}${advice === undefined ? "" : `\n      ${advice}`}`;
      })
      .join("\n"),
  );
  if (!backends.some(({ state }) => state === "ok"))
    throw new EitpError("unavailable", "No backend works here; see the lines marked !! above.");
}
