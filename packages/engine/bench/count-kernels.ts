import * as tf from "@tensorflow/tfjs-core";

/** Time of this process alone: other work on the machine does not count. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Wraps every kernel of a backend with a counter and a clock; nested calls count for the outer kernel only. */
export function countKernels(backend: string): { report(steps: number): string } {
  const seen = new Map<string, { calls: number; ms: number }>();
  let depth = 0;
  for (const config of [...tf.getKernelsForBackend(backend)]) {
    tf.unregisterKernel(config.kernelName, backend);
    const counted: tf.KernelFunc = (call) => {
      const at = cpuMs();
      depth++;
      try {
        return config.kernelFunc(call);
      } finally {
        depth--;
        if (depth === 0) {
          const entry = seen.get(config.kernelName) ?? { calls: 0, ms: 0 };
          seen.set(config.kernelName, { calls: entry.calls + 1, ms: entry.ms + cpuMs() - at });
        }
      }
    };
    tf.registerKernel({ ...config, kernelFunc: counted });
  }
  return {
    report: (steps) => {
      const rows = [...seen].sort((a, b) => b[1].ms - a[1].ms);
      const line = (name: string, calls: number, ms: number): string =>
        `${name.padEnd(22)} ${(calls / steps).toFixed(0).padStart(6)} calls ${(ms / steps).toFixed(2).padStart(8)} ms\n`;
      const total = rows.reduce((a, [, r]) => ({ calls: a.calls + r.calls, ms: a.ms + r.ms }), { calls: 0, ms: 0 });
      return (
        rows
          .slice(0, 20)
          .map(([name, r]) => line(name, r.calls, r.ms))
          .join("") + line("all", total.calls, total.ms)
      );
    },
  };
}
