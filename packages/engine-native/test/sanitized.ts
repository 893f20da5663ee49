/** Run by sanitize.test.ts in a process of its own: the conformance suite on the addon in EITP_NATIVE_ADDON, every tensor an allocation of its own. */
import { useBackend } from "@eitp/engine";
import { conformance } from "@eitp/engine/testing";

const { isa, threads } = await useBackend("native");
let failed = 0;
for (const { name, check } of conformance())
  await check().catch((error: unknown) => {
    failed++;
    process.stdout.write(`${name}: ${error}\n`);
  });
process.stdout.write(`${isa} with ${threads} threads: ${failed} checks failed\n`);
