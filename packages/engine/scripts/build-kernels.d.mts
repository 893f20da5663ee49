/** The text of kernels.generated.ts. */
export function generate(): Promise<string>;
