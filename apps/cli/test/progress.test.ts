import { stdout } from "node:process";
import { afterEach, expect, test, vi } from "vitest";
import { progress } from "../src/output/progress.ts";
import { listener } from "./support.ts";

const { isTTY, columns } = stdout;
afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(stdout, { isTTY, columns });
});

/** What one step, evaluation and last step of a run write to a terminal. */
function shown(columns: number): string {
  const written: string[] = [];
  Object.assign(stdout, { isTTY: true, columns });
  vi.spyOn(stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  const line = progress({ ...listener(), quiet: false }, 1600);
  const values = { loss: 1.8341, "ce.loss": 1.8, "chaos.loss": 0.0341, tokensPerSecond: 12_345, stepMs: 41 };
  line.record({ step: 1, kind: "step", values: { ...values, stepMs: 9000 } });
  line.record({ step: 2, kind: "evaluation", values: { "heldOut.loss": 1.87, "heldOut.bitsPerByte": 2.6989 } });
  line.record({ step: 2, kind: "step", values });
  line.record({ step: 1600, kind: "step", values });
  line.end();
  return written.join("");
}

test("a live line with step, loss, each term, speed, time left, memory and held-out figure, redrawn in place", () => {
  const lines = shown(120).split("\r\u001b[2K").slice(1);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(
    /^step 1600\/1600 {2}loss 1\.834 {2}ce 1\.800 {2}chaos 0\.034 {2}12\.3k tok\/s {2}ETA 0:00 {2}[\d.]+ MiB {2}held-out 2\.70 bits\/B\s*$/,
  );
  // A narrow terminal gets whole parts, as many as fit.
  for (const line of shown(60).split("\r\u001b[2K").slice(1)) expect(line.trimEnd().length).toBeLessThan(60);
  expect(shown(60)).toContain("1600/1600  loss 1.834  ce 1.800  chaos 0.034\n");
});

test("one JSON object a line where there is no terminal, nothing with --quiet", () => {
  stdout.isTTY = false;
  const out = listener();
  progress({ ...out, quiet: false }, 3).record({ step: 1, kind: "step", values: { loss: 2 } });
  expect(out.said).toEqual(['{"step":1,"kind":"step","values":{"loss":2}}']);
  progress(out, 3).record({ step: 2, kind: "step", values: { loss: 2 } });
  expect(out.said).toHaveLength(1);
});
