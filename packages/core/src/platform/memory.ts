import type { Platform, Store } from "../spec/index.ts";

/** Keeps what is stored in memory: for tests, and for tabs that need no more. Runs anywhere. */
export function memoryPlatform(): Platform {
  const folders = new Map<string, ReadonlyMap<string, Uint8Array>>();
  const store: Store = {
    read: async (path) => {
      const cut = path.lastIndexOf("/");
      return folders
        .get(path.slice(0, cut))
        ?.get(path.slice(cut + 1))
        ?.slice();
    },
    commit: async (folder, files) => {
      folders.set(folder, new Map(Object.entries(files).map(([name, bytes]) => [name, bytes.slice()])));
    },
    list: async (folder) => {
      const inner = [...folders.keys()].flatMap((name) =>
        name.startsWith(`${folder}/`) ? [name.slice(folder.length + 1).split("/")[0] as string] : [],
      );
      return [...new Set([...inner, ...(folders.get(folder)?.keys() ?? [])])].sort();
    },
    remove: async (folder) => {
      for (const name of [...folders.keys()]) if (name === folder || name.startsWith(`${folder}/`)) folders.delete(name);
    },
  };
  return { store, now: () => performance.now(), yield: () => new Promise((resolve) => setTimeout(resolve, 0)) };
}
