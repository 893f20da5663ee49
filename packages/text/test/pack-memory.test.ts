import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

/**
 * Measured growth of the resident set, one document of bytes (also set aside in the spool): 64 MiB of text 25 MB, 256 MiB 37 MB, 1 GiB 43 MB.
 * Holding the text once would be 96 MiB here, its tokens 384 MiB.
 */
test("packing 96 MiB takes less than 64 MiB of memory", () => {
  const root = mkdtempSync(join(tmpdir(), "eitp-memory-"));
  try {
    const script = join(import.meta.dirname, "children", "pack-large.ts");
    const child = spawnSync(process.execPath, ["--conditions=@eitp/source", "--import", "tsx", script, join(root, "pack"), "96"], {
      encoding: "utf8",
    });
    const { tokens, growth } = JSON.parse(child.stdout) as { tokens: number; growth: number };
    expect(tokens).toBeGreaterThanOrEqual(96 * 2 ** 20);
    expect(growth).toBeLessThan(64 * 2 ** 20);
  } finally {
    rmSync(root, { recursive: true });
  }
});
