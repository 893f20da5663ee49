import { useBackend } from "@eitp/engine";
import { beforeAll } from "vitest";
import { describeRightTerms } from "./support/contract.ts";

beforeAll(() => useBackend("wasm"));
describeRightTerms();
