import { EitpError } from "@eitp/engine/error";

/** One line without its end. */
export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** One JSON document per line is not meant to be larger; beyond that a string would not fit into memory anyway. */
const longestLine = 2 ** 28;

/**
 * The lines of a stream of pieces; "\n" and "\r\n" end a line.
 * @throws EitpError "data" for a line of more than 2²⁸ code units.
 */
export async function* linesOf(pieces: AsyncIterable<string>, name: string): AsyncGenerator<Line> {
  let parts: string[] = [];
  let size = 0;
  let number = 1;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      yield { text: ended([...parts, piece.slice(from, end)].join("")), number: number++ };
      parts = [];
      size = 0;
      from = end + 1;
    }
    const rest = piece.slice(from);
    size += rest.length;
    if (size > longestLine)
      throw new EitpError("data", `${name}:${number} has more than ${longestLine} characters. Is this one JSON value per line?`);
    if (rest !== "") parts.push(rest);
  }
  if (parts.length > 0) yield { text: ended(parts.join("")), number };
}
const ended = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
