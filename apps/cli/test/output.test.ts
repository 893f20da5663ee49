import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { reportError } from "../src/output/end.ts";
import { formatBytes, formatSeconds, formatShort, table } from "../src/output/format.ts";
import { interruptible } from "../src/output/interrupt.ts";
import { coloured, toJson } from "../src/output/output.ts";
import { printable } from "../src/output/printable.ts";
import { listener } from "./support.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("signals", () => {
  test("the first stops gently, an echo of the same press changes nothing, a second ends at once", async () => {
    const exit = vi.spyOn(process, "exit").mockReturnValue(undefined as never);
    const out = listener();
    const interruption = interruptible(out, "saving.");
    process.emit("SIGINT", "SIGINT");
    process.emit("SIGINT", "SIGINT");
    expect(interruption.signal.aborted).toBe(true);
    expect(out.said).toEqual(["\nSIGINT: saving. Press Ctrl-C again to stop at once."]);
    expect(exit).not.toHaveBeenCalled();
    await setTimeout(350);
    process.emit("SIGTERM", "SIGTERM");
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
    interruption.release();
  });
});

describe("errors", () => {
  test("an unexpected one has code 70 and advice; the stack only with EITP_DEBUG", () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    vi.stubEnv("EITP_DEBUG", "");
    expect(reportError(new TypeError("x is not a function"), false)).toBe(70);
    expect(written.join("")).toContain("x is not a function\nThis is unexpected: run it again with EITP_DEBUG=1");
    expect(written.join("")).not.toContain("    at ");
    vi.stubEnv("EITP_DEBUG", "1");
    reportError(new Error("outer", { cause: new Error("inner") }), false);
    expect(written.join("")).toMatch(/ {4}at [\s\S]*caused by Error: inner/);
  });
});

describe("text", () => {
  test("numbers and columns", () => {
    expect([0, 1023, 1536, 5 * 2 ** 30].map(formatBytes)).toEqual(["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
    expect([59.6, 75, 4000].map(formatSeconds)).toEqual(["1:00", "1:15", "1:06:40"]);
    expect([7, 1234, 9_876_543, 2.5e9].map(formatShort)).toEqual(["7", "1.23k", "9.88M", "2.5G"]);
    expect(
      table([
        ["a", "b"],
        ["long", "c"],
      ]),
    ).toBe("a     b\nlong  c");
    expect(toJson({ loss: Number.NaN })).toBe('{"loss":"NaN"}');
  });

  test("colour only on a terminal that wants it", () => {
    vi.stubEnv("NO_COLOR", "");
    vi.stubEnv("TERM", "xterm");
    expect(coloured("31", "error", { isTTY: true })).toBe("\u001b[31merror\u001b[0m");
    expect(coloured("31", "error", {})).toBe("error");
    vi.stubEnv("NO_COLOR", "1");
    expect(coloured("31", "error", { isTTY: true })).toBe("error");
  });

  test("what a model writes cannot steer a terminal", () => {
    expect(printable("a\u001b[2J\tb\r\n\u009bc")).toBe("a\ufffd[2J\tb\ufffd\n\ufffdc");
  });
});
