import { attentionCases } from "./attention-cases.ts";
import type { ConformanceCheck } from "./check.ts";
import { checkCase } from "./compare.ts";
import { denseCases } from "./dense-cases.ts";
import { lossCases, lossChecks } from "./loss-checks.ts";
import { modelChecks } from "./model-checks.ts";
import { nanChecks } from "./nan-checks.ts";

/**
 * What every backend has to keep, as checks of the current one (`useBackend` first) against the composition of ordinary operations on cpu: values within
 * 10⁻⁵, gradients of every input within 10⁻⁴ of the largest entry; tangents, second derivatives, ten steps of training; NaN; no tensor left behind.
 * Framework-free: run them in any test runner, or in a page.
 * @example
 * ```ts
 * import { useBackend } from "@eitp/engine";
 * import { conformance } from "@eitp/engine/testing";
 * await useBackend("wasm");
 * for (const { check } of conformance().slice(0, 3)) await check();
 * ```
 */
export function conformance(): readonly ConformanceCheck[] {
  const cases = [...denseCases, ...attentionCases, ...lossCases].map((test) => ({ name: test.name, check: () => checkCase(test) }));
  return [...cases, ...lossChecks, ...nanChecks, ...modelChecks];
}
