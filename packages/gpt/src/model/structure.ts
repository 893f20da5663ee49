import type { Step, Structure } from "@eitp/core/spec";
import type { GptConfig } from "./config.ts";

/** The model as data: every step in order, every parameter exactly once (a tied head names `wte.weight` again). */
export function structureOf(config: GptConfig): Structure {
  const { vocabulary, context, width, layers, positions, tokenShift } = config;
  const steps: Step[] = [
    {
      kind: "embed",
      tokens: { name: "wte.weight", shape: [vocabulary, width] },
      positions: positions === "learned" ? { name: "wpe.weight", shape: [context, width] } : null,
      shift: tokenShift ? { name: "shift.weight", shape: [width] } : null,
    },
  ];
  for (let layer = 0; layer < layers; layer++) {
    steps.push(attentionBranch(config, `h.${layer}`), mlpBranch(config, `h.${layer}`));
  }
  steps.push(norm(config, "ln_f"), { kind: "head", weight: { name: "wte.weight", shape: [vocabulary, width] }, tied: true });
  return { steps, width, layers, vocabulary, context: positions === "learned" ? context : null };
}

function attentionBranch(config: GptConfig, block: string): Step {
  const { width, heads, positions, logN } = config;
  const attention: Step = {
    kind: "attention",
    name: `${block}.attn`,
    heads,
    headWidth: width / heads,
    positions,
    logN,
    slot: `${block}.attn.heads`,
  };
  return {
    kind: "residual",
    name: `${block}.attn`,
    steps: [
      norm(config, `${block}.ln_1`),
      linear(`${block}.attn.c_attn`, width, 3 * width),
      attention,
      linear(`${block}.attn.c_proj`, width, width),
    ],
  };
}

function mlpBranch(config: GptConfig, block: string): Step {
  const { width } = config;
  return {
    kind: "residual",
    name: `${block}.mlp`,
    steps: [
      norm(config, `${block}.ln_2`),
      linear(`${block}.mlp.c_fc`, width, 4 * width),
      { kind: "activation", name: `${block}.mlp.act`, fn: "gelu-tanh", width: 4 * width, slot: `${block}.mlp.units` },
      linear(`${block}.mlp.c_proj`, 4 * width, width),
    ],
  };
}

function norm({ width, epsilon }: GptConfig, name: string): Step {
  return {
    kind: "norm",
    name,
    weight: { name: `${name}.weight`, shape: [width] },
    bias: { name: `${name}.bias`, shape: [width] },
    epsilon,
  };
}

function linear(name: string, from: number, to: number): Step {
  return {
    kind: "linear",
    name,
    weight: { name: `${name}.weight`, shape: [from, to] },
    bias: { name: `${name}.bias`, shape: [to] },
    from,
    to,
    transposed: false,
  };
}
