import { useBackend } from "@eitp/engine";
import { conformance } from "@eitp/engine/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { missing } from "./native.ts";

describe.skipIf(missing !== null)(`native conforms${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(() => useBackend("native"));

  test.each(conformance().map(({ name, check }) => [name, check] as const))("%s", async (_, check) => {
    await expect(check()).resolves.toBeUndefined();
  });
});
