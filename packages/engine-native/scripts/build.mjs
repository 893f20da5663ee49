// Compiles the addon into build/ if it is missing or older than the sources, and prints where it is. `--sanitize` builds the checked one.
import { tsImport } from "tsx/esm/api";

const { buildAddon } = await tsImport("../src/build.ts", import.meta.url);
console.log(await buildAddon({ sanitize: process.argv.includes("--sanitize") }));
