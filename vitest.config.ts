import { existsSync, readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const conditions = ["@eitp/source", "module", "node", "import", "default"];
const folders = ["packages", "apps", "examples"]
  .filter((room) => existsSync(room))
  .flatMap((room) => readdirSync(room).map((name) => ({ name, root: `${room}/${name}` })));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    globalSetup: "test/build-native.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more workers only fight, and each loads tfjs anew.
    maxWorkers: 2,
    projects: [
      ...folders.map(({ name, root }) => ({ extends: true as const, test: { name, include: [`${root}/{src,test}/**/*.test.ts`] } })),
      { extends: true as const, test: { name: "repo", include: ["test/**/*.test.ts"] } },
    ],
  },
});
