/**
 * The table of step times: median milliseconds of a training step on each backend, and as a ratio to PyTorch where EITP_TORCH names a Python with torch.
 * Every figure is the median over processes, which alternate. Run: `pnpm bench [--rounds 3] [--threads 1,2] [--backends native] [--shapes L,D,H,T,B,V;…]`
 */
import { execFileSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

interface Measured {
  readonly median_ms: number;
  readonly best_ms: number;
  readonly cpu_ms: number;
  readonly peak_mb: number;
}

const option = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};
const defaults = "4,256,4,128,4,512;4,128,4,64,12,65;2,64,2,64,8,64;12,768,12,64,1,50257;12,768,12,512,1,50257";
const shapes = option("shapes", defaults).split(";");
const rounds = Number(option("rounds", "3"));
const threadCounts = option("threads", "1,2").split(",").map(Number);
const backends = option("backends", "native").split(",");
const python = process.env["EITP_TORCH"];
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Enough steps to settle, few enough for the large models. */
const stepsOf = (shape: string): string => {
  const [, width = 0] = shape.split(",").map(Number);
  return width >= 512 ? "6" : width >= 128 ? "24" : "150";
};
const last = (out: string): Measured => JSON.parse(out.trim().split("\n").at(-1) ?? "") as Measured;
const environment = (threads: number): NodeJS.ProcessEnv => ({ ...process.env, EITP_THREADS: `${threads}` });

function eitp(shape: string, backend: string, threads: number): Measured {
  const flags = ["--conditions=@eitp/source", "--import", "tsx", script("eitp-gpt.ts")];
  const own = [shape, "--backend", backend, "--steps", stepsOf(shape)];
  return last(execFileSync(process.execPath, [...flags, ...own], { encoding: "utf8", env: environment(threads) }));
}
function torch(program: string, shape: string, threads: number): Measured {
  const own = [script("torch_gpt.py"), shape, "--threads", `${threads}`, "--steps", stepsOf(shape)];
  return last(execFileSync(program, own, { encoding: "utf8", env: environment(threads) }));
}

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[xs.length >> 1] ?? Number.NaN;
const middle = (runs: readonly Measured[]): Measured => ({
  median_ms: median(runs.map((r) => r.median_ms)),
  best_ms: Math.min(...runs.map((r) => r.best_ms)),
  cpu_ms: median(runs.map((r) => r.cpu_ms)),
  peak_mb: Math.max(...runs.map((r) => r.peak_mb)),
});
const show = (x: number): string => x.toFixed(x < 100 ? 1 : 0).padStart(8);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const load = loadavg()[0]?.toFixed(1);
say(`${cpus()[0]?.model}, ${cpus().length} processors, load ${load}, Node ${process.version}, ${rounds} processes each`);
if (python === undefined) say("EITP_TORCH is not set: no comparison with PyTorch");
say(`${"shape L,D,H,T,B,V".padEnd(22)} threads engine     median     best      CPU  peak MB   × PyTorch: median  best   CPU`);
for (const shape of shapes)
  for (const threads of threadCounts) {
    const runs = new Map<string, Measured[]>();
    for (let i = 0; i < rounds; i++) {
      if (python !== undefined) runs.set("torch", [...(runs.get("torch") ?? []), torch(python, shape, threads)]);
      for (const backend of backends) runs.set(backend, [...(runs.get(backend) ?? []), eitp(shape, backend, threads)]);
    }
    const reference = runs.has("torch") ? middle(runs.get("torch") ?? []) : null;
    for (const [engine, all] of runs) {
      const { median_ms, best_ms, cpu_ms, peak_mb } = middle(all);
      const ratio = (own: number, other: number): string => (own / other).toFixed(2).padStart(6);
      const ratios =
        reference === null || engine === "torch"
          ? ""
          : `${ratio(median_ms, reference.median_ms).padStart(19)}${ratio(best_ms, reference.best_ms)}${ratio(cpu_ms, reference.cpu_ms)}`;
      say(
        `${shape.padEnd(22)} ${`${threads}`.padStart(7)} ${engine.padEnd(8)} ${show(median_ms)} ${show(best_ms)} ${show(cpu_ms)} ${`${peak_mb}`.padStart(8)}${ratios}`,
      );
    }
  }
say(`load at the end ${loadavg()[0]?.toFixed(1)}`);
