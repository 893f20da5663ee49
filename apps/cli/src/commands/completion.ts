import { EitpError } from "@eitp/engine/error";
import type { Command } from "commander";

const shells: readonly string[] = ["bash", "zsh", "fish", "powershell"];

/** The only file that knows `@bomb.sh/tab`, which is young. */
async function completionOf(root: Command): Promise<Command> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  // The library adds its own `complete`; ours only brought us here.
  const bare = root.commands.findIndex((one) => one.name() === "complete");
  if (bare >= 0) (root.commands as Command[]).splice(bare, 1);
  tab(root);
  return root;
}

/** `eitp completion <shell>`. */
export async function printScript(root: Command, shell: string): Promise<void> {
  if (!shells.includes(shell)) throw new EitpError("usage", `No completion for ${shell}; expected ${shells.join(", ")}.`);
  await (await completionOf(root)).parseAsync(["complete", shell], { from: "user" });
}

/** What the scripts call: `eitp complete -- train --b`. */
export async function suggest(root: Command): Promise<void> {
  await (await completionOf(root)).parseAsync(process.argv.slice(2), { from: "user" });
}
