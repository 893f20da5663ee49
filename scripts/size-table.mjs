// Prints lines per source file and fails where a file is over its limit: 400 lines of source, 600 of test. Run by `pnpm check`.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const limits = { source: 400, test: 600 };
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "packages", "apps", "examples"], {
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => /\.tsx?$/.test(path) && !/\.config\.ts$|\/fixtures\//.test(path));

const rooms = new Map();
const tooLong = [];
for (const path of files) {
  const lines = readFileSync(path, "utf8").split("\n").length - 1;
  const kind = /\/(test|bench)\//.test(path) ? "test" : "source";
  if (lines > limits[kind]) tooLong.push(`${path} has ${lines} lines; the limit for ${kind} files is ${limits[kind]}`);
  const room = path.split("/").slice(0, 2).join("/");
  const entry = rooms.get(room) ?? { source: [], test: [] };
  entry[kind].push({ path, lines });
  rooms.set(room, entry);
}

const quantile = (sorted, q) => (sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
const row = (cells) => console.log(`| ${cells.map((c, i) => (i === 0 ? String(c).padEnd(24) : String(c).padStart(6))).join(" | ")} |`);
row(["folder", "files", "median", "p90", "max", "lines", "tests"]);
row(["---", "---", "---", "---", "---", "---", "---"]);
for (const [room, { source, test }] of [...rooms].sort()) {
  const sorted = source.map((f) => f.lines).sort((a, b) => a - b);
  const sum = (list) => list.reduce((n, f) => n + f.lines, 0);
  row([room, source.length, quantile(sorted, 0.5), quantile(sorted, 0.9), sorted.at(-1) ?? 0, sum(source), sum(test)]);
}
if (tooLong.length > 0) {
  console.error(tooLong.join("\n"));
  process.exit(1);
}
