import { type ConfigFlags, flagEntries } from "../config/flags.ts";
import { loadConfiguration } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import type { Output } from "../output/output.ts";

/** The configuration that a command line asks for; says which file was found without being named. */
export async function configurationOf(flags: ConfigFlags, output: Output): Promise<Config> {
  const { config, file } = await loadConfiguration({
    ...(flags.config !== undefined && { file: flags.config }),
    folder: process.cwd(),
    environment: process.env,
    set: flags.set,
    flags: flagEntries(flags),
  });
  if (file !== null && flags.config === undefined) output.note(`configuration: ${file}`);
  return config;
}
