import type { ParamRef, Step, Structure } from "../spec/index.ts";

export interface TwoLayerShape {
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  /** Longest sequence. */
  readonly context: number;
}

/** Parameter shapes of the test model under GPT-2's names, linear weights stored [from, to]. */
export function parameterShapes(shape: TwoLayerShape, layers: number): { readonly [name: string]: readonly number[] } {
  return Object.fromEntries(refs(twoLayerStructure(shape, layers).steps).map(({ name, shape: s }) => [name, s]));
}

/** The test model as data: what path norms, cost counts and gate slots are read from. */
export function twoLayerStructure({ width, heads, vocabulary, context }: TwoLayerShape, layers: number): Structure {
  const norm = (name: string): Step => ({
    kind: "norm",
    name,
    weight: { name: `${name}.weight`, shape: [width] },
    bias: { name: `${name}.bias`, shape: [width] },
    epsilon: 1e-5,
  });
  const linear = (name: string, from: number, to: number): Step => ({
    kind: "linear",
    name,
    weight: { name: `${name}.weight`, shape: [from, to] },
    bias: { name: `${name}.bias`, shape: [to] },
    from,
    to,
    transposed: false,
  });
  const block = (l: number): readonly Step[] => [
    {
      kind: "residual",
      name: `h.${l}.attn`,
      steps: [
        norm(`h.${l}.ln_1`),
        linear(`h.${l}.attn.c_attn`, width, 3 * width),
        {
          kind: "attention",
          name: `h.${l}.attn`,
          heads,
          headWidth: width / heads,
          positions: "learned",
          logN: false,
          slot: `h.${l}.attn.heads`,
        },
        linear(`h.${l}.attn.c_proj`, width, width),
      ],
    },
    {
      kind: "residual",
      name: `h.${l}.mlp`,
      steps: [
        norm(`h.${l}.ln_2`),
        linear(`h.${l}.mlp.c_fc`, width, 4 * width),
        { kind: "activation", name: `h.${l}.mlp.act`, fn: "gelu-tanh", width: 4 * width, slot: `h.${l}.mlp.act` },
        linear(`h.${l}.mlp.c_proj`, 4 * width, width),
      ],
    },
  ];
  const tokens: ParamRef = { name: "wte.weight", shape: [vocabulary, width] };
  return {
    steps: [
      { kind: "embed", tokens, positions: { name: "wpe.weight", shape: [context, width] }, shift: null },
      ...Array.from({ length: layers }, (_, l) => block(l)).flat(),
      norm("ln_f"),
      { kind: "head", weight: tokens, tied: true },
    ],
    width,
    layers,
    vocabulary,
    context,
  };
}

/** Every parameter of these steps in order; a tied one comes twice. */
function refs(steps: readonly Step[]): readonly ParamRef[] {
  return steps.flatMap(refsOf);
}

function refsOf(step: Step): readonly ParamRef[] {
  switch (step.kind) {
    case "embed":
      return [step.tokens, step.positions, step.shift].filter((ref) => ref !== null);
    case "norm":
      return [step.weight, step.bias];
    case "linear":
      return step.bias === null ? [step.weight] : [step.weight, step.bias];
    case "residual":
      return refs(step.steps);
    case "head":
      return [step.weight];
    case "attention":
    case "activation":
      return [];
  }
}
