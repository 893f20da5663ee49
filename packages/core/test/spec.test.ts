import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test, vi } from "vitest";
import { EitpError, exitCodeOf, lossTerm } from "../src/spec/index.ts";
import { arrange } from "../src/train/slots.ts";
import { model } from "./support/runs.ts";

const term = lossTerm({ name: "one", units: "1", scope: "params", needs: ["params"], evaluate: () => ({ loss: tf.scalar(1) }) });

describe("errors", () => {
  test("of another installed copy are recognised, by symbol and not by class", async () => {
    vi.resetModules();
    const other = await import("@eitp/engine/error");
    expect(other.EitpError).not.toBe(EitpError);
    const foreign = new other.EitpError("data", "from the other copy");
    expect(foreign).not.toBeInstanceOf(EitpError);
    expect(EitpError.is(foreign)).toBe(true);
    expect(exitCodeOf(foreign)).toBe(65);
  });

  test.each([new Error("EitpError"), { name: "EitpError", code: "data" }, null, undefined, "data"])("not %s", (error) => {
    expect(EitpError.is(error)).toBe(false);
    expect(exitCodeOf(error)).toBe(70);
  });

  test("every code has its documented exit code", () => {
    const codes = { usage: 64, data: 65, unavailable: 69, internal: 70, nonFinite: 70, io: 74, busy: 75, interrupted: 130 } as const;
    for (const [code, exit] of Object.entries(codes)) expect(exitCodeOf(new EitpError(code as keyof typeof codes, code))).toBe(exit);
  });
});

describe("a term", () => {
  test("is a frozen object of version 1", () => {
    expect(term.specVersion).toBe(1);
    expect(Object.isFrozen(term)).toBe(true);
  });

  test("of another version is refused, by name and version", () => {
    const future = { ...term, specVersion: 2 as never };
    expect(() => arrange([{ term: future, weight: 1 }], model)).toThrow("term 'one' follows spec version 2; this trainer knows version 1");
  });
});
