import { EitpError } from "@eitp/engine/error";
import type { Command } from "commander";

const shells: readonly string[] = ["bash", "zsh", "fish", "powershell"];

/** The only file that knows `@bomb.sh/tab`, which is young. */
async function withCompletion(root: Command): Promise<Command> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  tab(root, { completionCommandName: "completion" });
  return root;
}

/** `eitp completion <shell>`. */
export async function printScript(root: Command, shell: string): Promise<void> {
  if (!shells.includes(shell)) throw new EitpError("usage", `No completion for ${shell}; expected ${shells.join(", ")}.`);
  await (await withCompletion(root)).parseAsync(["completion", shell], { from: "user" });
}

/** What the scripts call: `eitp complete -- train --b`. */
export async function suggest(root: Command): Promise<void> {
  await (await withCompletion(root)).parseAsync(process.argv.slice(2), { from: "user" });
}
