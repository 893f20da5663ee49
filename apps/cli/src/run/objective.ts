import { adamW, clipByGlobalNorm, constant, cosine, crossEntropy, warmupStableDecay } from "@eitp/core";
import type { AnyGradientTransform, AnyOptimizer, Schedule, TermUse } from "@eitp/core/spec";
import type { Config } from "../config/types.ts";

/** The learning rate at a step, from 0. */
function learningRate({ optimizer, training }: Config): Schedule {
  const { learningRate: peak, schedule } = optimizer;
  const { kind, warmup } = schedule;
  // At least one step: a run of none has a schedule all the same.
  const steps = Math.max(1, schedule.steps ?? training.steps);
  const floor = schedule.floor ?? peak / 10;
  switch (kind) {
    case "constant":
      return warmup === 0
        ? constant(peak)
        : warmupStableDecay({ peak, warmup, stable: Math.max(0, steps - warmup), decay: 0, floor: peak });
    case "linear":
      return warmupStableDecay({ peak, warmup, stable: 0, decay: steps - warmup, floor, shape: "linear" });
    case "cosine":
      return cosine({ peak, warmup, steps, floor });
    case "warmupStableDecay": {
      const decay = schedule.decay ?? Math.min(steps - warmup, Math.floor(steps / 5));
      return warmupStableDecay({ peak, warmup, stable: steps - warmup - decay, decay, floor, shape: "sqrt" });
    }
  }
}

export function optimizerOf(config: Config): AnyOptimizer {
  const { beta1, beta2, epsilon, weightDecay } = config.optimizer;
  return adamW({ learningRate: learningRate(config), beta1, beta2, epsilon, weightDecay });
}

export function transformsOf({ training }: Config): readonly AnyGradientTransform[] {
  return training.gradientClip > 0 ? [clipByGlobalNorm(training.gradientClip)] : [];
}

/** Later packages add their terms here, under the names of the schema's `terms`. */
export function termsOf({ terms }: Config): readonly TermUse[] {
  return [{ term: crossEntropy(), weight: terms.ce.weight }];
}
