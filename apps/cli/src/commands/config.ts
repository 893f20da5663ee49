import type { ConfigFlags } from "../config/flags.ts";
import { configJsonSchema } from "../config/schema.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { configurationOf } from "./configuration.ts";

/** `eitp config schema`. */
export function schema(): void {
  process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
}

/** `eitp config show`. */
export async function show(flags: ConfigFlags & OutputOptions): Promise<void> {
  const out = output(flags);
  const config = await configurationOf(flags, out);
  const { stringify } = await import("yaml");
  out.result(config, () => stringify(config));
}
