// Commits generation after generation of one folder until it is killed; prints each generation once it is durable.
import { nodePlatform } from "../../../src/node/index.ts";

const [root = "", first = "0"] = process.argv.slice(2);
const { store } = nodePlatform(root);
for (let generation = Number(first); ; generation += 1) {
  const text = `${generation}\n`.repeat(20_000);
  const bytes = new TextEncoder().encode(text);
  await store.commit("checkpoints/latest", { "a.bin": bytes, "b.bin": bytes });
  process.stdout.write(`${generation}\n`);
}
