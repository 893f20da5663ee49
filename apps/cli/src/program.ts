import { Command, InvalidArgumentError, Option } from "commander";
import manifest from "../package.json" with { type: "json" };

/**
 * Every command, its words and its options. What a command does is loaded when it runs, so that `--help` answers at once.
 * @param completion - False for the completion library, which brings these two commands itself.
 */
export function program(completion = true): Command {
  const root = new Command("eitp")
    .description("Train, resume, sample and inspect GPT models.")
    .version(manifest.version, "-V, --version")
    .exitOverride()
    // Errors are told once, by main.
    .configureOutput({ outputError: () => undefined })
    .addHelpText("after", exitCodes);
  for (const add of [training, using, files, checking]) add(root);
  if (completion) completing(root);
  return root;
}

const exitCodes = `
Exit codes: 0 ok, 64 usage or configuration, 65 bad data, 69 backend missing, 70 internal or non-finite, 74 disk, 75 try again, 130 interrupted.
Start with \`eitp quickstart\`, or \`eitp train --data book.txt --out runs/book\`.`;

const precedence = `
Configuration, strongest first: flags, --set, EITP_… variables, the file (--config, or eitp.config.* here), defaults.
  optimizer.learningRate is --set optimizer.learningRate=1e-3 or EITP_OPTIMIZER__LEARNING_RATE=1e-3.
  \`eitp config schema\` prints all keys as JSON Schema, \`eitp config show\` what a run would use.`;

function training(root: Command): void {
  configured(command(root, "train", "train a model on text, in a new run folder"))
    .option("--overwrite", "replace a run that is already in the folder")
    .addHelpText("after", precedence)
    .action(async (options) => (await import("./commands/train.ts")).train(options));
  command(root, "resume <run>", "go on with a run; bit-identical to never having stopped")
    .option("--steps <n>", "steps in all", whole(0))
    .option("--more <n>", "steps beyond the checkpoint", whole(1))
    .option("--checkpoint <which>", "latest, best or a step; later checkpoints are removed", "latest")
    .option("--backend <name>", "another backend than before")
    .action(async (run, options) => (await import("./commands/resume.ts")).resume(run, options));
  command(root, "quickstart", "train a small model on Moby-Dick, in about a minute and a half")
    .option("--out <dir>", "run folder; replaced if it holds a quickstart already", "eitp-runs/quickstart")
    .option("--steps <n>", "optimiser steps", whole(1))
    .action(async (options) => (await import("./commands/quickstart.ts")).quickstart(options));
  command(root, "verify-resume", "prove that resuming is bit-identical: kill a run at random moments and compare")
    .option("--kills <n>", "how often", whole(1), 5)
    .option("--steps <n>", "steps of the run", whole(2), 60)
    .option("--seed <n>", "seed of the moments", whole(0), 1)
    .option("--backend <name>", "where tensors are computed", "auto")
    .option("--keep", "keep the folders for a look")
    .action(async (options) => (await import("./commands/verify-resume.ts")).verifyResume(options));
}

function using(root: Command): void {
  model(command(root, "generate <model>", "continue a prompt (model: a run, a checkpoint or a Hugging Face folder)"))
    .option("--prompt <text>", "what to continue", "\n")
    .option("--max-tokens <n>", "new tokens", whole(1), 200)
    .option("--temperature <x>", "0: greedy", number, 0.8)
    .option("--top-k <n>", "only the likeliest tokens", whole(1))
    .option("--top-p <x>", "only the likeliest tokens that reach this probability together", number)
    .option("--repetition-penalty <x>", "1 changes nothing", number)
    .option("--seed <n>", "same seed, same text", whole(0), 0)
    .option("--stop <text>", "end before this text (repeatable)", collect, [])
    .option("--batch <n>", "texts at once", whole(1), 1)
    .option("--no-stream", "print texts when they are finished")
    .action(async (path, options) => (await import("./commands/generate.ts")).generateText(path, options));
  model(command(root, "eval <model>", "held-out loss, perplexity and bits per byte"))
    .option("--data <paths...>", "text to evaluate on, all of it; default: what the run holds out")
    .option("--field <name>", "field of JSON Lines, or column of Parquet", "text")
    .option("--format <name>", "text, jsonl or parquet; default: by file name")
    .option("--replace-invalid", "replace invalid UTF-8 instead of refusing it")
    .option("--length <n>", "tokens per sequence; default: the model's context", whole(1))
    .option("--batch <n>", "sequences at once", whole(1), 8)
    .option("--batches <n>", "at most this many batches", whole(1))
    .action(async (path, options) => (await import("./commands/eval.ts")).evaluateText(path, options));
}

function files(root: Command): void {
  model(command(root, "inspect <model>", "parameters, shapes, configuration, step; checksums verified"))
    .option("--parameters", "list every parameter")
    .action(async (path, options) => (await import("./commands/inspect.ts")).inspect(path, options));
  model(command(root, "export <model>", "write a Hugging Face folder"))
    .addOption(new Option("--format <name>", "format to write").choices(["hf"]).default("hf"))
    .requiredOption("--out <dir>", "folder to write")
    .option("--overwrite", "replace a model folder that is already there")
    .action(async (path, options) => (await import("./commands/export.ts")).exportModel(path, options));
  command(root, "import <folder>", "make a run folder of a Hugging Face folder")
    .requiredOption("--out <dir>", "run folder to write")
    .option("--tokenizer <name>", "bytes, gpt2 or the path of a tokenizer file, where the folder has none")
    .option("--dropout <x>", "instead of the folder's, which may have three different ones", number)
    .action(async (path, options) => (await import("./commands/import.ts")).importModel(path, options));
  command(root, "report <run>", "write report.html anew").action(async (path, options) =>
    (await import("./commands/report.ts")).reportRun(path, options),
  );
  const tokenizer = root.command("tokenizer").description("train and use tokenizers");
  command(tokenizer, "train", "learn a byte-level BPE from text")
    .requiredOption("--data <paths...>", "text to learn from")
    .requiredOption("--out <file>", "tokenizer file to write")
    .option("--vocabulary <n>", "token ids, the 256 bytes included", whole(257), 4096)
    .option("--min-frequency <n>", "a pair seen less often is not merged", whole(0), 2)
    .option("--field <name>", "field of JSON Lines, or column of Parquet", "text")
    .action(async (options) => (await import("./commands/tokenizer.ts")).trainTokenizer(options));
  command(tokenizer, "encode <tokenizer> [text]", "token ids of a text, or of standard input").action(async (name, text, options) =>
    (await import("./commands/tokenizer.ts")).encodeText(name, text, options),
  );
  command(tokenizer, "decode <tokenizer> [ids...]", "text of token ids, or of those on standard input").action(async (name, ids, options) =>
    (await import("./commands/tokenizer.ts")).decodeIds(name, ids, options),
  );
}

function checking(root: Command): void {
  configured(command(root, "estimate", "parameters, memory, work and time per step of a configuration"))
    .option("--measure <n>", "real steps to time; 0: none", whole(0), 5)
    .action(async (options) => (await import("./commands/estimate.ts")).estimate(options));
  command(root, "doctor", "what works here, what is missing and how to get it").action(async (options) =>
    (await import("./commands/doctor.ts")).doctor(options),
  );
  const config = root.command("config").description("look at configurations");
  command(config, "schema", "the configuration as JSON Schema, for editors").action(async () =>
    (await import("./commands/config.ts")).schema(),
  );
  configured(command(config, "show", "what a run would use, and where nothing is left open")).action(async (options) =>
    (await import("./commands/config.ts")).show(options),
  );
}

function completing(root: Command): void {
  root
    .command("completion <shell>")
    .description("print a completion script for bash, zsh, fish or powershell")
    .action(async (shell) => (await import("./commands/completion.ts")).printScript(program(false), shell));
  // What the scripts call back, with the words typed so far.
  root
    .command("complete [words...]", { hidden: true })
    .allowUnknownOption()
    .helpOption(false)
    .action(async () => (await import("./commands/completion.ts")).suggest(program(false)));
}

/** A command with the options that every command has. */
function command(parent: Command, words: string, description: string): Command {
  return parent
    .command(words)
    .description(description)
    .option("--json", "results and errors as JSON")
    .option("-q, --quiet", "no progress and no remarks");
}

function configured(command: Command): Command {
  return command
    .option("-c, --config <file>", "YAML, JSON or TypeScript configuration")
    .option("--set <key=value>", "one setting, such as model.width=128 (repeatable)", collect, [])
    .option("--data <paths...>", "files, folders, globs, - or builtin:moby-dick")
    .option("--field <name>", "field of JSON Lines, or column of Parquet; default: text")
    .option("--tokenizer <name>", "bytes, characters, gpt2 or the path of a tokenizer file")
    .option("--from <model>", "start from the parameters of this run or Hugging Face folder")
    .option("--steps <n>", "optimiser steps", whole(0))
    .option("--seed <n>", "same seed, data and backend: same bits", whole(0))
    .option("--backend <name>", "auto, native, wasm or cpu")
    .option("--replace-invalid", "replace invalid UTF-8 instead of refusing it")
    .option("--out <dir>", "run folder");
}

function model(command: Command): Command {
  return command
    .option("--checkpoint <which>", "of a run: latest, best or a step", "latest")
    .option("--tokenizer <name>", "bytes, gpt2 or the path of a tokenizer file, where the folder has none")
    .option("--backend <name>", "auto, native, wasm or cpu", "auto");
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a finite number.");
  return value;
}

function whole(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    return value;
  };
}
