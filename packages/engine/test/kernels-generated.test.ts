import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { generate } from "../scripts/build-kernels.mjs";
import { plain, relaxed } from "../src/backends/wasm/kernels.generated.ts";

test("the committed kernel modules are what their sources compile to, byte for byte", async () => {
  const committed = await readFile(new URL("../src/backends/wasm/kernels.generated.ts", import.meta.url), "utf8");
  expect(await generate()).toBe(committed);
});

test("a kernel module is at most 40 kB, valid, and brings no memory of its own", () => {
  for (const base64 of [plain, relaxed]) expect(atob(base64).length).toBeLessThan(40_000);
  const bytes = Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
});

test("attention's scratch memory grows with the context, not with its square", () => {
  const module = new WebAssembly.Module(Uint8Array.from(atob(plain), (c) => c.charCodeAt(0)));
  const { exports } = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 0 }) } });
  const scratch = exports["attentionScratch"] as (tokens: number, size: number) => number;
  expect(scratch(8192, 64) / scratch(4096, 64)).toBeLessThan(2.01);
  expect(scratch(8192, 64)).toBeLessThan(24 * 2 ** 20);
});
