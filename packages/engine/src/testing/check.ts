/** One promise a backend has to keep. */
export interface ConformanceCheck {
  readonly name: string;
  /** Resolves when the current backend keeps it; rejects with an `EitpError` that names what differs, by how much. */
  check(): Promise<void>;
}
