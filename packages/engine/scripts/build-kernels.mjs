// Compiles wasm/*.ts (AssemblyScript) and writes both builds as base64 into src/backends/wasm/kernels.generated.ts, which is committed: a fresh clone
// runs without a build step. `node scripts/build-kernels.mjs`; a test checks that this reproduces the committed file.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Stub runtime and imported memory: no allocator, no data of its own on tfjs' heap. */
const options = [
  "wasm/index.ts",
  "-O3",
  "--noAssert",
  "--runtime",
  "stub",
  "--importMemory",
  "--outFile",
  "out.wasm",
  "--textFile",
  "out.wat",
  "--baseDir",
  root,
];

async function compile(features) {
  const files = new Map();
  const { error, stderr } = await asc.main([...options, "--enable", features], {
    writeFile: (name, contents) => files.set(name, contents),
  });
  if (error !== null) throw new Error(`asc: ${error.message}\n${stderr.toString()}`);
  if (files.get("out.wat").includes("(data"))
    throw new Error("the module has a data segment, which would be written over tensors; use no tables, strings or static arrays");
  return Buffer.from(files.get("out.wasm")).toString("base64");
}

/** The text of kernels.generated.ts. */
export async function generate() {
  const plain = await compile("simd,bulk-memory");
  const relaxed = await compile("simd,bulk-memory,relaxed-simd");
  return `// Written by scripts/build-kernels.mjs from wasm/*.ts; do not edit.\n/** 128-bit SIMD: the same bits on every machine. */\nexport const plain = "${plain}";\n/** Also relaxed SIMD: fused multiply-add where the processor has it. */\nexport const relaxed = "${relaxed}";\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(root, "src/backends/wasm/kernels.generated.ts");
  writeFileSync(file, await generate());
  process.stdout.write(`${file}\n`);
}
