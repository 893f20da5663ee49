import type { LedgerRow, RecordKind, StepRecord } from "@eitp/core/spec";
import { arrayOf, fieldsOf, numberOf, parseObject, stepOf, stringify, textOf, wordOf } from "../run/json.ts";

const kinds: readonly RecordKind[] = ["step", "evaluation", "checkpoint"];

/** A record as one line of `metrics.jsonl`, with its newline. */
export function encodeRecord({ step, kind, values, ledger, checkpoint }: StepRecord): string {
  return `${stringify({ step, kind, values, ledger, checkpoint })}\n`;
}

/** @throws EitpError "data" that names `place`. */
export function decodeRecord(line: string, place: string): StepRecord {
  const fields = parseObject(line, place);
  const values = Object.entries(fieldsOf(fields["values"], `${place}, values`));
  return {
    step: stepOf(fields["step"], `${place}, step`),
    kind: wordOf(fields["kind"], kinds, `${place}, kind`),
    values: Object.fromEntries(values.map(([key, value]) => [key, numberOf(value, `${place}, values.${key}`)])),
    ...(fields["ledger"] !== undefined && {
      ledger: arrayOf(fields["ledger"], `${place}, ledger`).map((row, i) => decodeRow(row, `${place}, ledger[${i}]`)),
    }),
    ...(fields["checkpoint"] !== undefined && { checkpoint: textOf(fields["checkpoint"], `${place}, checkpoint`) }),
  };
}

function decodeRow(row: unknown, place: string): LedgerRow {
  const fields = fieldsOf(row, place);
  const number = (key: keyof LedgerRow): number => numberOf(fields[key], `${place}.${key}`);
  return {
    term: textOf(fields["term"], `${place}.term`),
    value: number("value"),
    weighted: number("weighted"),
    gradientNorm: number("gradientNorm"),
    cosine: number("cosine"),
    ms: number("ms"),
  };
}
