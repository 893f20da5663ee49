import { concat } from "@tensorflow/tfjs-core";
import { primal } from "../ops/primal.ts";
import { type Case, given } from "./compare.ts";

// Letters: B sequences, T tokens, D width, H heads.

/** One of everything; heads of 1, 2, 3 and 4k entries; contexts around the sizes a kernel may take in one block. */
const shapes = [
  { B: 1, T: 1, H: 1, D: 2 },
  { B: 2, T: 1, H: 2, D: 4 },
  { B: 1, T: 2, H: 1, D: 1 },
  { B: 2, T: 7, H: 3, D: 12 },
  { B: 3, T: 5, H: 2, D: 6 },
  { B: 1, T: 33, H: 4, D: 40 },
  { B: 2, T: 50, H: 2, D: 16 },
  { B: 1, T: 131, H: 1, D: 8 },
] as const;

const kinds = (["learned", "none", "rotary", "alibi"] as const).flatMap((positions) =>
  [null, 9].flatMap((logN) => [false, true].map((masked) => ({ positions, logN, masked }))),
);

/** Queries, keys and values apart: packed, the large gradient of values would hide a wrong one of keys. */
export const attentionCases: readonly Case[] = shapes.flatMap(({ B, T, H, D }) =>
  kinds
    .filter(({ positions }) => positions !== "rotary" || (D / H) % 2 === 0)
    .map(({ positions, logN, masked }) =>
      given(
        `attention B ${B} T ${T} H ${H} D ${D}, ${positions}, logN ${logN}${masked ? ", mask" : ""}`,
        { q: [B, T, D], k: [B, T, D], v: [B, T, D] },
        ({ q, k, v }, rng) => {
          const dropout = masked ? { dropout: rng.fold("mask").mask([B, H, T, T], 0.7) } : {};
          return primal.attention(concat([q, k, v], 2), { heads: H, positions, logN, ...dropout });
        },
      ),
    ),
);
