// Makes the optional package that brings the addon for this platform: a folder to `npm publish`, build/engine-native-<platform>-<arch>.
// Kernels for every instruction set are inside; only libc and libstdc++ are asked of the machine.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tsImport } from "tsx/esm/api";

const home = fileURLToPath(new URL("..", import.meta.url));
const { buildAddon } = await tsImport("../src/build.ts", import.meta.url);
const { version, license } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
const target = `${process.platform}-${process.arch}`;
const folder = join(home, "build", `engine-native-${target}`);
await mkdir(folder, { recursive: true });
await copyFile(await buildAddon(), join(folder, "eitp.node"));
const manifest = {
  name: `@eitp/engine-native-${target}`,
  version,
  description: `Compiled kernels of @eitp/engine-native for ${target}.`,
  license,
  os: [process.platform],
  cpu: [process.arch],
  files: ["eitp.node"],
};
await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(folder);
