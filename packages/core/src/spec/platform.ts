/** The only doors to the outside; Node and browser each bring their own. */
export interface Platform {
  readonly store: Store;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Lets the page or the event loop breathe. */
  yield(): Promise<void>;
}
/** Named byte blobs; `commit` makes all blobs of a folder visible at once or not at all. Paths are relative, with "/". */
export interface Store {
  /** `undefined` where there is nothing. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** All files of the folder become durable and visible together; an existing folder of that name is replaced. */
  commit(folder: string, files: { readonly [name: string]: Uint8Array }): Promise<void>;
  /** Names directly in a folder, sorted; none where there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Removes a folder and what is in it; does nothing where there is none. */
  remove(folder: string): Promise<void>;
}
