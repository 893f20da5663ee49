import { expect, test, vi } from "vitest";
import { loadNative } from "../src/backends/native.ts";
import { EitpError } from "../src/index.ts";

test("where there is no Node, native is refused before anything is imported", async () => {
  vi.stubGlobal("process", { ...process, versions: {} });
  try {
    const error: unknown = await loadNative().catch((e: unknown) => e);
    expect(EitpError.is(error) && error.code).toBe("unavailable");
    expect(String(error)).toContain('runs in Node only. In a tab use "wasm"');
  } finally {
    vi.unstubAllGlobals();
  }
});
