import { useBackend } from "@eitp/engine";
import { beforeAll } from "vitest";
import { describeOurTerms } from "./our-terms.ts";

beforeAll(() => useBackend("wasm"));
describeOurTerms();
