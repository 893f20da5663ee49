export * from "./optim/index.ts";
export { crossEntropy } from "./terms/cross-entropy.ts";
export { type EvaluateOptions, type Evaluation, evaluate } from "./train/evaluate.ts";
export type { CheckpointOptions, TrainerOptions, TrainOptions, ValidationOptions } from "./train/options.ts";
export { createTrainer, type SavedRun, type Trainer } from "./train/trainer.ts";
