import { writeFileAtomically } from "@eitp/core/node";
import { parseObject, stepOf } from "../run/json.ts";
import { eachLine, readIfThere } from "../run/lines.ts";

/**
 * Removes what a run resumed after `step` finished steps will write again, and a torn last line, so that it ends with the file an
 * uninterrupted run has: step records after that step; everything else from it on, since a resumed run tells its checkpoint again (a kill may
 * have come between the checkpoint and its line) and evaluates after it. A missing file is fine; the new file replaces the old one at once.
 * @param step - Of the checkpoint that the run resumes from.
 * @returns How many lines were removed.
 * @throws EitpError "data" for a line without a step, "io" where the disk refuses.
 */
export async function truncateMetrics(path: string, step: number): Promise<number> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) return 0;
  const kept: Buffer[] = [];
  let removed = 0;
  const torn = eachLine(bytes, (line, number, start, end) => {
    const place = `${path}, line ${number}`;
    const fields = parseObject(line, place);
    const at = stepOf(fields["step"], `${place}, step`);
    if (at < step || (at === step && fields["kind"] === "step")) kept.push(bytes.subarray(start, end));
    else removed += 1;
  });
  if (removed > 0 || torn > 0) await writeFileAtomically(path, Buffer.concat(kept));
  return removed + (torn > 0 ? 1 : 0);
}
