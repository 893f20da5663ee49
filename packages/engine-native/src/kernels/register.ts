import { registerAddN, registerElementwise } from "./elementwise.ts";
import { registerFused } from "./fused.ts";
import { registerMatMul } from "./mat-mul.ts";
import { registerReduce } from "./reduce.ts";
import { registerRows } from "./rows.ts";
import { registerShape } from "./shape.ts";

/** Puts the native kernels into the places of the JavaScript ones. */
export function registerKernels(): void {
  registerMatMul();
  registerFused();
  registerElementwise();
  registerAddN();
  registerReduce();
  registerShape();
  registerRows();
}
