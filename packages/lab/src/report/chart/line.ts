import type { Series } from "../../metrics/read.ts";

/** One quantity in a chart. */
export interface Line {
  readonly name: string;
  readonly series: Series;
  /** Of the style sheet's, 1 to 8; default the line's place in the list. A term keeps its colour in all charts. */
  readonly colour?: number;
  /** Drawn as points joined by a line: few, exact values such as evaluations. */
  readonly points?: boolean;
}

/** Colours the style sheet has; more lines than this in one chart could not be told apart. */
export const maxLines = 8;
