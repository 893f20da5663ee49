import { whyNotNative } from "../src/index.ts";

/** Why the tests of this package cannot run here; null where they can. */
export const missing: string | null = await whyNotNative();
