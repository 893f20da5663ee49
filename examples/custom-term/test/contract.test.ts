import { describeLossTerm } from "@eitp/core/testing";
import { useBackend } from "@eitp/engine";
import { beforeAll, describe, test } from "vitest";
import { activation } from "../src/index.ts";

beforeAll(() => useBackend("wasm"));
describeLossTerm(() => activation(), { describe, test });
