import type { z } from "zod";
import { adviceFor, keysIn, kindsOf, leaves } from "./keys.ts";
import type { Merged } from "./merge.ts";
import { type Problem, shown } from "./problem.ts";

type Issue = z.core.$ZodIssue;

/** What zod found, with place, key, expectation, finding and advice. */
export function problemsOf(issues: readonly Issue[], merged: Merged): readonly Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...path, key], merged));
    const value = merged.valueAt(path);
    const place = merged.placeOf(path);
    return [{ place, ...(path.length > 0 && { key: path.join(".") }), ...finding(issue, path, value) }];
  });
}

function unknownKey(path: readonly string[], merged: Merged): Problem {
  const isTerm = path[0] === "terms" && path.length === 2;
  return {
    place: merged.placeOf(path),
    key: path.join("."),
    expected: isTerm ? `a known loss term (${keysIn(["terms"]).join(", ")})` : "a known key",
    found: `the unknown ${isTerm ? "term" : "key"} ${shown(path.at(-1))}`,
    advice: adviceFor(path),
  };
}

function finding(issue: Issue, path: readonly string[], value: unknown): Pick<Problem, "expected" | "found" | "advice"> {
  const found = shown(value);
  switch (issue.code) {
    case "invalid_type":
      if (keysIn(path).length > 0) return { expected: `a section with ${keysIn(path).join(", ")}`, found, advice: "" };
      return { expected: typeName(path, issue.expected), found, advice: numberAdvice(issue.expected, value) };
    case "too_small":
      if (issue.origin === "string" || issue.origin === "array") return { expected: "something that is not empty", found, advice: "" };
      return { expected: `a number ${issue.inclusive === true ? "≥" : ">"} ${issue.minimum}`, found, advice: "" };
    case "too_big":
      return { expected: `a number ${issue.inclusive === true ? "≤" : "<"} ${issue.maximum}`, found, advice: "" };
    case "invalid_value":
      return { expected: `one of ${issue.values.map(shown).join(", ")}`, found, advice: "" };
    default:
      return { expected: issue.message, found, advice: "" };
  }
}

const typeNames: { readonly [name: string]: string } = {
  int: "a whole number",
  number: "a finite number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "a section",
};

function typeName(path: readonly string[], expected: string): string {
  const leaf = leaves().find((candidate) => candidate.path.join(".") === path.join("."));
  const kind = leaf !== undefined && kindsOf(leaf.node).has("integer") ? "int" : expected;
  return typeNames[kind] ?? kind;
}

function numberAdvice(expected: string, value: unknown): string {
  if (typeof value !== "string" || (expected !== "number" && expected !== "int")) return "";
  return value.trim() !== "" && Number.isFinite(Number(value)) ? `Write ${Number(value)} without quotes.` : "";
}
