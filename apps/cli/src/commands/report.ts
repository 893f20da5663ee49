import { writeReport } from "@eitp/lab";
import { type OutputOptions, output } from "../output/output.ts";

/** `eitp report`. */
export async function reportRun(run: string, flags: OutputOptions): Promise<void> {
  const path = await writeReport(run);
  output(flags).result({ report: path }, () => `wrote ${path}`);
}
