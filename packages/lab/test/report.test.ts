import { appendFile, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StepRecord } from "@eitp/core/spec";
import { describe, expect, test } from "vitest";
import { appendSample, metricsFile, report, writeReport, writeRunFile } from "../src/index.ts";
import { fakeRun, info, newFolder } from "./fake-run.ts";

/** Checks nesting and ids, returns the page without tags: enough of a parser for markup that we write ourselves. */
function textOf(page: string): string {
  const open: string[] = [];
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [tag, slash, name = ""] of page.matchAll(/<(\/?)([a-z0-9]+)(?:\s[^<>]*)?>/g)) {
    if (slash === "/") expect(open.pop()).toBe(name);
    else if (name !== "meta" && !tag.endsWith("/>")) open.push(name);
  }
  expect(open).toEqual([]);
  return page
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
}

async function runWith(all: readonly StepRecord[]): Promise<string> {
  const folder = await newFolder();
  await writeRunFile(folder, "run.json", { ...info, status: "running" });
  const hook = metricsFile(join(folder, "metrics.jsonl"));
  for (const record of all) await hook.onRecord(record);
  await hook.onEnd?.("stopped");
  return folder;
}
const step = (at: number, loss: number): StepRecord => ({ step: at, kind: "step", values: { "ce.loss": loss, "gradient.norm": loss } });

describe("the report", () => {
  test("shows figures, curves, ledger, samples, checkpoints, configuration and environment", async () => {
    const folder = await fakeRun(200);
    const path = await writeReport(folder);
    expect(path).toBe(join(folder, "report.html"));
    const page = await readFile(path, "utf8");
    expect(page).toBe(await report(folder));
    const text = textOf(page);
    for (const part of [
      "moby-dick nano",
      "finished",
      "step 200",
      "115,394",
      "12 min 34 s",
      "wasm",
      "seed 7",
      "Held-out loss 2.318",
      "Bits per byte 3.344",
    ])
      expect(text).toContain(part);
    for (const part of ["Gradient ledger", "Cosine with CE", "Ishmael, and the white", "temperature 0.8, topK 40", "checkpoints/step-200"])
      expect(text).toContain(part);
    for (const part of [
      "&quot;preset&quot;: &quot;nano&quot;",
      "eitp train --data &#39;moby dick.txt&#39;",
      process.version,
      "@eitp/core 0.",
    ])
      expect(text).toContain(part);
    for (const title of ["Learning rate", "Gradient norm", "Throughput", "Weighted values", "chaos", "entropy", "chaos.lambdaMax"])
      expect(page).toContain(`<h3>${title}</h3>`);
    expect(text).toContain("mean over 7 records");
  });

  test("asks nothing of the network and runs nothing", async () => {
    const page = await report(await fakeRun(50));
    expect(page).not.toMatch(/https?:|\/\/|<script|<link|<img|<iframe|\son\w+=|url\(|@import/);
    expect(page).toContain("Content-Security-Policy");
  });

  test("every chart has a title and a description, every table header cells with a scope", async () => {
    const page = await report(await fakeRun(50));
    const charts = [
      ...page.matchAll(/<svg role="img" aria-labelledby="(\S+) (\S+)"[^>]*><title id="(\S+)">[^<]+<\/title><desc id="(\S+)">([^<]+)</g),
    ];
    expect(charts.length).toBe((page.match(/<svg role="img"/g) ?? []).length);
    for (const [, title, description, titleId, descriptionId, words] of charts) {
      expect([title, description]).toEqual([titleId, descriptionId]);
      expect(words).toMatch(/Line chart, (linear|log) vertical axis, steps \d+ to \d+\./);
    }
    expect(page.match(/<th[ >]/g)).toHaveLength((page.match(/<th scope="(row|col)"/g) ?? []).length);
    expect(page).toContain("prefers-color-scheme:dark");
    expect(page).toContain('name="viewport"');
  });

  test("a hostile name, prompt, key, configuration or checkpoint is shown as text", async () => {
    const evil = `</script></title><img src=x onerror="alert(1)">'&`;
    const folder = await runWith([
      {
        step: 1,
        kind: "step",
        values: { [`${evil}.loss`]: 1, [`${evil}.weighted`]: 1, [evil]: 2 },
        ledger: [{ term: evil, value: 1, weighted: 1, gradientNorm: 1, cosine: 1, ms: 1 }],
      },
      { step: 1, kind: "checkpoint", values: {}, checkpoint: evil },
    ]);
    await writeRunFile(folder, "run.json", { ...info, name: evil, command: [evil], backend: evil, createdAt: evil });
    await writeRunFile(folder, "config.json", { [evil]: evil });
    await appendSample(folder, { step: 1, prompt: evil, text: evil, options: { [evil]: evil } });
    const page = await report(folder);
    expect(page).not.toContain("<img");
    expect(page).not.toContain("</script");
    textOf(page);
    expect(page).toContain("<pre><b>&lt;/script&gt;&lt;/title&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;</b>");
  });

  test.each([0, 1, 2])("a run of %d records is a page", async (count) => {
    const page = await report(await runWith(Array.from({ length: count }, (_, i) => step(i + 1, 5 - i))));
    const text = textOf(page);
    expect(text).toContain(`From ${count} record`);
    expect(text).toContain("running, or killed");
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    if (count === 0) expect(text).toContain("Nothing recorded yet");
    // One point has no length: it must still be drawn, as a dot.
    if (count === 1) expect(page).toMatch(/class="line" d="M[\d.]+ [\d.]+h0"/);
  });

  test("non-finite values are gaps, and it says so; a run of nothing else says that", async () => {
    const page = await report(await runWith([step(1, 5), step(2, Number.NaN), step(3, Number.POSITIVE_INFINITY), step(4, 4)]));
    expect(textOf(page)).toContain("2 non-finite values are gaps.");
    expect(page).not.toMatch(/ d="[^"]*(NaN|Infinity)/);
    const lost = textOf(await report(await runWith([step(1, Number.NaN), step(2, Number.NaN)])));
    expect(lost).toContain("All 2 recorded values are non-finite");
    expect(lost).toMatch(/Train loss NaN/);
  });

  test("a torn last line is mentioned", async () => {
    const folder = await runWith([step(1, 5)]);
    await appendFile(join(folder, "metrics.jsonl"), '{"st');
    expect(textOf(await report(folder))).toContain("The last line was incomplete");
  });

  test("100,000 records stay below a megabyte, say that they are downsampled, and keep a single spike", async () => {
    const spike = (record: StepRecord): StepRecord =>
      record.kind === "step" && record.step === 54_321 ? { ...record, values: { ...record.values, "gradient.norm": 777 } } : record;
    const folder = await fakeRun(100_000, spike);
    const path = await writeReport(folder);
    expect((await stat(path)).size).toBeLessThan(1_000_000);
    const page = await readFile(path, "utf8");
    expect(textOf(page)).toContain("Downsampled.");
    const norm = /aria-labelledby="norm-t.*?<\/svg>/s.exec(page)?.[0] ?? "";
    // The vertical axis reaches the spike: its line touches the top of the box (26) within the 4 % of air.
    const heights = [...norm.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, height]) => Number(height));
    expect(Math.min(...heights)).toBeLessThan(36);
  });

  test("many terms, metrics and samples stay below a megabyte and say what is left out", async () => {
    const values = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [i < 40 ? `term${i}.loss` : `many.metric${i}`, i]));
    const folder = await runWith(Array.from({ length: 300 }, (_, i) => ({ step: i + 1, kind: "step" as const, values })));
    for (let i = 0; i < 30; i += 1) await appendSample(folder, { step: i, prompt: "p", text: "🐋".repeat(20_000) });
    const page = await report(folder);
    expect(page.length).toBeLessThan(1_000_000);
    const text = textOf(page);
    expect(text).toContain("The first 24 of 360 recorded quantities are drawn");
    expect(text).toContain("of 30 samples");
    expect(text).toContain("more characters)");
    expect(text).toContain("The first 24 of 40 terms are drawn");
  });
});
