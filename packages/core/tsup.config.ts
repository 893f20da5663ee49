import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/spec/index.ts", "src/testing/index.ts", "src/safetensors/index.ts", "src/node/index.ts"],
  format: "esm",
  target: "es2022",
  dts: true,
  sourcemap: true,
  clean: true,
  removeNodeProtocol: false,
});
