import { describe, expect, test } from "vitest";
import { downsample } from "../src/report/chart/downsample.ts";
import { extent, fittingKind, linearScale, logScale } from "../src/report/chart/scale.ts";
import { smooth, windowFor } from "../src/report/chart/smooth.ts";
import { formatDuration, formatInteger, formatNumber, formatTick } from "../src/report/format.ts";
import { escapeHtml, html } from "../src/report/html.ts";

const series = (values: readonly number[]) => ({ steps: values.map((_, i) => i), values });

describe("downsampling", () => {
  test("keeps a short series as it is", () => {
    expect(downsample(series([3, 1, 2]), 100)).toEqual({
      pieces: [
        [
          [0, 3],
          [1, 1],
          [2, 2],
        ],
      ],
      gaps: 0,
      downsampled: false,
    });
  });

  test("keeps every peak, the first and the last value of a long one", () => {
    const values = Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 5000));
    values[12_345] = 50;
    values[67_890] = -50;
    const { pieces, downsampled } = downsample(series(values), 100);
    const points = pieces.flat();
    expect(downsampled).toBe(true);
    expect(pieces).toHaveLength(1);
    expect(points.length).toBeLessThanOrEqual(400);
    expect(points).toContainEqual([12_345, 50]);
    expect(points).toContainEqual([67_890, -50]);
    expect(points[0]).toEqual([0, 0]);
    expect(points.at(-1)).toEqual([99_999, values[99_999]]);
    expect(points.map(([step]) => step)).toEqual([...points.map(([step]) => step)].sort((a, b) => a - b));
  });

  test("non-finite values are gaps, counted; however many there are, the pieces stay few", () => {
    expect(downsample(series([1, Number.NaN, 2, 3, Number.POSITIVE_INFINITY]), 100)).toMatchObject({
      pieces: [
        [[0, 1]],
        [
          [2, 2],
          [3, 3],
        ],
      ],
      gaps: 2,
    });
    const alternating = downsample(series(Array.from({ length: 10_000 }, (_, i) => (i % 2 === 0 ? i : Number.NaN))), 50);
    expect(alternating.gaps).toBe(5000);
    expect(alternating.pieces.length).toBeLessThanOrEqual(50);
    expect(downsample(series([Number.NaN]), 10)).toEqual({ pieces: [], gaps: 1, downsampled: false });
    expect(downsample(series([]), 10)).toEqual({ pieces: [], gaps: 0, downsampled: false });
  });
});

describe("smoothing", () => {
  test("is the plain mean inside, leaves a straight line straight, and does not lag", () => {
    expect(smooth(series([0, 3, 0, 3, 0, 3, 0]), 3).values.slice(1, -1)).toEqual([1, 2, 1, 2, 1]);
    const line = Array.from({ length: 50 }, (_, i) => 2 * i);
    const inner = smooth(series(line), 9).values.slice(2, -2);
    for (const [i, value] of inner.entries()) expect(value).toBeCloseTo(2 * (i + 2), 10);
  });

  test("keeps gaps and does not let them into the means", () => {
    expect(smooth(series([1, 1, Number.NaN, 1, 1]), 3).values).toEqual([1, 1, Number.NaN, 1, 1]);
  });

  test("starts with 80 records; windows are odd", () => {
    expect([1, 79].map(windowFor)).toEqual([1, 1]);
    for (const length of [80, 1000, 99_999]) expect(windowFor(length) % 2).toBe(1);
  });
});

describe("axes", () => {
  test("linear ticks are round and inside", () => {
    expect(linearScale(0, 100, 5).ticks).toEqual([0, 20, 40, 60, 80, 100]);
    expect(linearScale(1.7, 6.1, 4).ticks).toEqual([2, 3, 4, 5, 6]);
    expect(linearScale(-0.3, 0.3, 3).ticks.map(formatTick)).toEqual(["−0.2", "0", "0.2"]);
    expect(linearScale(2, 4, 2).at(3)).toBe(0.5);
  });

  test("logarithmic ticks are decades, with 2 and 5 where those are few", () => {
    expect(logScale(0.001, 10, 5).ticks).toEqual([0.001, 0.01, 0.1, 1, 10]);
    expect(logScale(1, 100, 5).ticks).toEqual([1, 2, 5, 10, 20, 50, 100]);
    expect(logScale(1e-12, 1, 4).ticks.length).toBeLessThanOrEqual(6);
    expect(logScale(1, 100, 5).at(10)).toBeCloseTo(0.5, 12);
  });

  test("logarithmic only for positive values far apart", () => {
    expect([fittingKind(1, 100), fittingKind(1, 5), fittingKind(0, 100), fittingKind(-1, 1)]).toEqual([
      "log",
      "linear",
      "linear",
      "linear",
    ]);
  });

  test("the extent leaves out what is not finite", () => {
    expect(
      extent([
        [3, Number.NaN],
        [Number.NEGATIVE_INFINITY, -1],
      ]),
    ).toEqual([-1, 3]);
    expect(extent([[Number.NaN], []])).toBeUndefined();
  });
});

describe("numbers as text", () => {
  test.each([
    [0, "0"],
    [2.7178, "2.718"],
    [-0.5, "−0.5000"],
    [12345.6, "12,346"],
    [3e-5, "3.00e-5"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("%d is %s", (value, text) => expect(formatNumber(value)).toBe(text));
  test.each([
    [0.1 + 0.2, "0.3"],
    [12_000, "12k"],
    [2.5e6, "2.5M"],
    [3 * 1e-4, "3e-4"],
    [-4, "−4"],
  ])("tick %d is %s", (value, text) => expect(formatTick(value)).toBe(text));
  test("integers and durations", () => {
    expect([0, 999, 1000, 124_439_808].map(formatInteger)).toEqual(["0", "999", "1,000", "124,439,808"]);
    expect([3.143, 65, 7384, Number.NaN].map(formatDuration)).toEqual(["3.14 s", "1 min 5 s", "2 h 3 min", "NaN"]);
  });
});

describe("markup", () => {
  test("text is escaped in elements and attributes, markup of ours is not, lists are joined", () => {
    const inner = html`<b>${"<i>"}</b>`;
    expect(html`<p title="${`"'&`}">${[inner, "a", 1]}</p>`.markup).toBe('<p title="&quot;&#39;&amp;"><b>&lt;i&gt;</b>a1</p>');
    expect(escapeHtml("a\0b\u001b[1m\tc\n\u0085")).toBe("a\ufffdb\ufffd[1m\tc\n\ufffd");
  });
});
