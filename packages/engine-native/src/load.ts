import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { EitpError } from "@eitp/engine/error";
import type { Addon } from "./addon.ts";
import { buildAddon } from "./build.ts";

/** The platform's optional package, made by `scripts/pack-platform.mjs`. */
const platformPackage = `@eitp/engine-native-${process.platform}-${process.arch}`;

/**
 * Finds the addon: the file in EITP_NATIVE_ADDON, the platform package, or one compiled here.
 * @throws EitpError "unavailable" where there is none, and none can be made.
 */
export async function loadAddon(): Promise<{ readonly addon: Addon; readonly file: string }> {
  const require = createRequire(import.meta.url);
  const file = process.env["EITP_NATIVE_ADDON"] ?? packaged(require) ?? (await buildAddon());
  try {
    return { addon: require(file) as Addon, file };
  } catch (cause) {
    throw new EitpError("unavailable", `the native backend does not load from ${file}: ${(cause as Error).message}`, { cause });
  }
}

/** Why the backend cannot be started here, in one line; null where it can. Compiles it if need be. */
export async function whyNotNative(): Promise<string | null> {
  try {
    await loadAddon();
    return null;
  } catch (error) {
    if (EitpError.is(error) && error.code === "unavailable") return error.message;
    throw error;
  }
}

function packaged(require: NodeJS.Require): string | null {
  try {
    const file = require.resolve(`${platformPackage}/eitp.node`);
    return existsSync(file) ? file : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
}
