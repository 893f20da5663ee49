import { checkConfig, type GptOptions, presets } from "@eitp/gpt";
import type { Merged } from "./merge.ts";
import type { Problem } from "./problem.ts";
import type { Config, ModelConfig } from "./types.ts";

/** What `gpt` is told; the vocabulary is the tokenizer's unless the configuration has one. */
export function modelOptions(model: ModelConfig, vocabulary: number): GptOptions {
  const preset = presets[model.preset];
  const { dropout, positions, tokenShift, logN, epsilon, initStd, headBudgetBytes } = model;
  return {
    vocabulary: model.vocabulary ?? vocabulary,
    context: model.context ?? preset.context,
    width: model.width ?? preset.width,
    layers: model.layers ?? preset.layers,
    heads: model.heads ?? preset.heads,
    dropout,
    positions,
    tokenShift,
    logN,
    epsilon,
    initStd,
    ...(headBudgetBytes !== null && { headBudgetBytes }),
  };
}

/** Rules that join several keys, each told at the key that was given. */
export function ruleProblems(config: Config, merged: Merged): readonly Problem[] {
  const problems: Problem[] = [];
  const report = (paths: readonly string[], expected: string, found: unknown, advice: string): void => {
    const given = paths.find((path) => merged.placeOf(path.split(".")) !== "default") ?? paths[0] ?? "";
    problems.push({ place: merged.placeOf(given.split(".")), key: given, expected, found: String(found), advice });
  };
  modelRules(config, report);

  const { training, optimizer, evaluation, samples, checkpoint, data } = config;
  const schedule = optimizer.schedule;
  const horizon = schedule.steps ?? training.steps;
  if (schedule.warmup > horizon) {
    const expected = `a warm-up of at most the schedule's ${horizon} steps`;
    report(["optimizer.schedule.warmup", "training.steps"], expected, schedule.warmup, "Shorten it, or train for longer.");
  }
  if (schedule.floor !== null && schedule.floor > optimizer.learningRate) {
    const expected = `at most the peak, optimizer.learningRate (${optimizer.learningRate})`;
    report(["optimizer.schedule.floor", "optimizer.learningRate"], expected, schedule.floor, "Lower it, or leave it out.");
  }
  if (schedule.kind === "warmupStableDecay" && schedule.warmup + (schedule.decay ?? 0) > horizon) {
    const expected = `warm-up and decay of at most the schedule's ${horizon} steps`;
    report(
      ["optimizer.schedule.decay", "optimizer.schedule.warmup"],
      expected,
      schedule.warmup + (schedule.decay ?? 0),
      "Shorten one of them.",
    );
  }
  if (training.patience !== null && evaluation.every === 0) {
    report(["training.patience", "evaluation.every"], "evaluation.every > 0 beside it", 0, "Early stopping watches the held-out loss.");
  }
  if (evaluation.every > 0 && data.validationFraction === 0 && merged.placeOf(["evaluation", "every"]) !== "default") {
    report(["data.validationFraction"], "a part to evaluate on", 0, "Hold some text out, or set evaluation.every to 0.");
  }
  if (samples.every % checkpoint.every !== 0) {
    const expected = `a multiple of checkpoint.every (${checkpoint.every}), since samples are drawn from checkpoints`;
    report(["samples.every", "checkpoint.every"], expected, samples.every, `${checkpoint.every} would do.`);
  }
  return problems;
}

type Report = (paths: readonly string[], expected: string, found: unknown, advice: string) => void;

function modelRules({ model, training }: Config, report: Report): void {
  // Its shape comes from elsewhere and is checked where it is read.
  if (model.from !== null) return;
  const options = modelOptions(model, 1);
  const { width, heads, context, positions = "learned", logN } = options;
  if (width % heads !== 0) {
    const up = Math.ceil(width / heads) * heads;
    const advice = `Use width ${up > heads && up - heads > 0 ? `${up - heads} or ${up}` : up}, or other heads.`;
    report(["model.width", "model.heads"], `a width divisible by heads (${heads})`, width, advice);
  } else if (positions === "rotary" && (width / heads) % 2 !== 0) {
    report(
      ["model.positions"],
      "an even width per head for rotary positions",
      `${width}/${heads} = ${width / heads}`,
      "Change width or heads.",
    );
  } else if (logN === true && context < 2) {
    report(["model.logN"], "a context of at least 2, whose logarithm is divided by", context, "Lengthen the context.");
  } else {
    checkConfig(options);
  }
  if (training.length !== null && training.length > context && positions === "learned") {
    const expected = `at most the model's ${context} positions`;
    const advice = `Set model.context to ${training.length}, or model.positions to "rotary", "alibi" or "none".`;
    report(["training.length", "model.context"], expected, training.length, advice);
  }
}
