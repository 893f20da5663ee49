import type { Json } from "@eitp/core";
import { assert, EitpError } from "@eitp/engine/error";
import { arrayOf, type Fields, fieldsOf, numberOf, stepOf, textOf, wordOf } from "./json.ts";
import type { Environment, GitState, RunFigures, RunInfo, RunStatus } from "./types.ts";

const statuses: readonly RunStatus[] = ["running", "finished", "stopped", "aborted", "failed"];
const figures = [
  "step",
  "trainLoss",
  "heldOutLoss",
  "perplexity",
  "bitsPerByte",
  "tokensPerSecond",
  "wallSeconds",
] as const satisfies readonly (keyof RunFigures)[];

/** @throws EitpError "data" that names the file and field. */
export function decodeRunInfo(fields: Fields, path: string): RunInfo {
  checkVersion(fields, path);
  return {
    schemaVersion: 1,
    name: textOf(fields["name"], `${path}, name`),
    createdAt: textOf(fields["createdAt"], `${path}, createdAt`),
    command: arrayOf(fields["command"], `${path}, command`).map((word, i) => textOf(word, `${path}, command[${i}]`)),
    status: wordOf(fields["status"], statuses, `${path}, status`),
    seed: numberOf(fields["seed"], `${path}, seed`),
    backend: textOf(fields["backend"], `${path}, backend`),
    parameters: stepOf(fields["parameters"], `${path}, parameters`),
    ...(fields["tokensPerStep"] !== undefined && { tokensPerStep: stepOf(fields["tokensPerStep"], `${path}, tokensPerStep`) }),
    ...(fields["result"] !== undefined && { result: decodeResult(fields["result"], `${path}, result`) }),
  };
}

function decodeResult(value: unknown, place: string): RunFigures {
  const fields = fieldsOf(value, place);
  const given = figures.filter((name) => fields[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, numberOf(fields[name], `${place}.${name}`)]));
}

export function decodeEnvironment(fields: Fields, path: string): Environment {
  checkVersion(fields, path);
  const packages = Object.entries(fieldsOf(fields["packages"], `${path}, packages`));
  return {
    schemaVersion: 1,
    node: textOf(fields["node"], `${path}, node`),
    platform: textOf(fields["platform"], `${path}, platform`),
    cpu: textOf(fields["cpu"], `${path}, cpu`),
    cores: numberOf(fields["cores"], `${path}, cores`),
    memoryBytes: numberOf(fields["memoryBytes"], `${path}, memoryBytes`),
    packages: Object.fromEntries(packages.map(([name, version]) => [name, textOf(version, `${path}, packages.${name}`)])),
    git: fields["git"] === null ? null : decodeGit(fields["git"], `${path}, git`),
  };
}

function decodeGit(value: unknown, place: string): GitState {
  const fields = fieldsOf(value, place);
  return { commit: textOf(fields["commit"], `${place}.commit`), dirty: fields["dirty"] === true };
}

function checkVersion(fields: Fields, path: string): void {
  if (fields["schemaVersion"] === 1) return;
  throw new EitpError(
    "data",
    `${path}: expected schemaVersion 1, found ${JSON.stringify(fields["schemaVersion"]) ?? "none"}. It was written by another program or a newer version: update EIT-P.`,
  );
}

/** A parsed value as {@link Json}: true by construction of `JSON.parse`, checked all the same. */
export function jsonOf(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(jsonOf);
  assert(typeof value === "object", `JSON cannot hold a ${typeof value}`);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, jsonOf(entry)]));
}
