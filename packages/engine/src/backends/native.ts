import { EitpError } from "../error.ts";

/** What this package calls of @eitp/engine-native, an optional peer. */
export interface NativePackage {
  startNative(): Promise<{ readonly threads: number; readonly isa: string }>;
  /** Null where the backend can be started. */
  whyNotNative(): Promise<string | null>;
}

/** A variable, so that neither the type checker nor a bundler asks for a package that may not be there. */
const packageName = "@eitp/engine-native";

/** @throws EitpError "unavailable" outside Node, or where the package is not installed. */
export async function loadNative(): Promise<NativePackage> {
  const host = Reflect.get(globalThis, "process") as { readonly versions?: { readonly node?: string } } | undefined;
  if (host?.versions?.node === undefined) throw new EitpError("unavailable", 'backend "native" runs in Node only. In a tab use "wasm".');
  try {
    return (await import(/* @vite-ignore */ packageName)) as NativePackage;
  } catch (cause) {
    if (EitpError.is(cause)) throw cause;
    throw new EitpError("unavailable", `${packageName} is not installed: npm install ${packageName}`, { cause });
  }
}

/** Why the native backend cannot be started here, in one line; null where it can. */
export async function whyNoNative(): Promise<string | null> {
  try {
    return await (await loadNative()).whyNotNative();
  } catch (error) {
    if (EitpError.is(error) && error.code === "unavailable") return error.message;
    throw error;
  }
}
