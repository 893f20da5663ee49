import * as tf from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";
import { EitpError, useBackend } from "../src/index.ts";

// A file of its own: once started, or failed, the wasm module of a process stays as it is.
test("where native and wasm do not start, wasm is refused with the way to get it, and auto takes cpu and says why", async () => {
  const said = [vi.spyOn(console, "warn"), vi.spyOn(console, "error")].map((spy) => spy.mockImplementation(() => undefined));
  const error: unknown = await useBackend("wasm", { wasmPaths: "/nowhere/" }).catch((e: unknown) => e);
  expect(EitpError.is(error) && error.code).toBe("unavailable");
  expect(String(error)).toMatch(/"wasm" did not start.*tfjs-backend-wasm.*wasmPaths/s);
  vi.stubEnv("EITP_NATIVE_ADDON", "/nowhere/eitp.node");
  const choice = await useBackend("auto", { wasmPaths: "/nowhere/" });
  expect(choice.name).toBe("cpu");
  expect(choice.why).toMatch(/does not load from \/nowhere.*did not start/s);
  vi.unstubAllEnvs();
  expect(tf.getBackend()).toBe("cpu");
  for (const spy of said) spy.mockRestore();
});
