import { useBackend } from "@eitp/engine";
import { tensor } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { activationOf } from "../src/index.ts";

beforeAll(() => useBackend("cpu"));

test("known answer: the mean of 25/2 and 1/2", () => {
  expect(activationOf([tensor([[3, 4]]), tensor([[1, 0]])]).dataSync()[0]).toBe(6.5);
});
test("nothing costs nothing", () => {
  expect(activationOf([tensor([[0, 0]])]).dataSync()[0]).toBe(0);
});
