// Packs a synthetic stream of so many MiB as one document and prints what it took: node … pack-large.ts <folder> <MiB>
import { EitpError } from "@eitp/engine/error";
import { bytes } from "../../src/index.ts";
import { packShards } from "../../src/node/index.ts";

const [folder = "", size = "1"] = process.argv.slice(2);
const paragraph = `${"All the small waves ran on and none of them was kept. ".repeat(19)}\n`;
async function* text(): AsyncGenerator<string> {
  for (let sent = 0; sent < Number(size) * 2 ** 20; sent += paragraph.length * 256) yield paragraph.repeat(256);
}

/** Largest resident set so far, bytes. */
const peak = (): number => process.resourceUsage().maxRSS * 1024;
// A first small pack, so that the growth measured is not that of loading and compiling.
try {
  await packShards([{ id: "warm", text: paragraph.repeat(2000) }], bytes(), `${folder}-warm`);
  const before = peak();
  const { index } = await packShards([{ id: "stream", text: text() }], bytes(), folder);
  const tokens = index.train.tokens + (index.validation?.tokens ?? 0);
  process.stdout.write(JSON.stringify({ tokens, before, growth: peak() - before }));
} catch (error) {
  process.stdout.write(JSON.stringify(EitpError.is(error) ? { code: error.code, message: error.message } : { error: String(error) }));
}
