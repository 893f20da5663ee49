#!/usr/bin/env node
import { EitpError } from "@eitp/engine/error";
import { CommanderError } from "commander";
import { guardPipes, reportError } from "./output/end.ts";
import { program } from "./program.ts";

export type { Config, ConfigInput } from "./config/types.ts";

guardPipes();
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const json = words.includes("--json");
  try {
    await program().parseAsync([...words], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, json);
    // Help and version are errors to commander, too.
    if (error.exitCode === 0) return 0;
    return reportError(new EitpError("usage", usageMessage(error)), json);
  }
}

function usageMessage({ message }: CommanderError): string {
  const text = message.replace(/^error: /, "");
  return text === "(outputHelp)" ? "No command was given. See `eitp --help`." : `${text}\nSee \`eitp --help\`, or --help after a command.`;
}
