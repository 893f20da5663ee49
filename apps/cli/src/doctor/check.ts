/** One line of `eitp doctor`. */
export interface Check {
  readonly name: string;
  /** "missing" is no fault: an optional piece. */
  readonly state: "ok" | "missing" | "broken";
  readonly found: string;
  /** What to do, where there is something to do. */
  readonly advice?: string;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
