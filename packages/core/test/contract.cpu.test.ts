import { useBackend } from "@eitp/engine";
import { beforeAll } from "vitest";
import { describeRightTerms } from "./support/contract.ts";

// The reference backend in a file of its own: two files run side by side.
beforeAll(() => useBackend("cpu"));
describeRightTerms();
