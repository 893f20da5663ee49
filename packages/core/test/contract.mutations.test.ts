import { EitpError, useBackend } from "@eitp/engine";
import { beforeAll, describe, expect, test } from "vitest";
import { lossTermLaws } from "../src/testing/index.ts";
import { activity } from "./support/terms.ts";
import { wrongTerms } from "./support/wrong-terms.ts";

beforeAll(() => useBackend("cpu"));

test("every law has a proof that it can fail", () => {
  expect(Object.keys(wrongTerms)).toEqual(lossTermLaws(activity).map((law) => law.name));
});

describe.each(Object.entries(wrongTerms))("'%s' rejects", (name, proofs) => {
  test.each(Object.entries(proofs))("%s", async (_what, [make, reason, options]) => {
    const law = lossTermLaws(make, options).find((l) => l.name === name);
    const error = await law?.check().then(
      () => "accepted",
      (e: unknown) => e,
    );
    expect(String(error)).toContain(reason);
    expect(EitpError.is(error)).toBe(true);
  });
});
