import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { within } from './deadline.ts';

/** Resolves with the file's JSON as soon as it exists and is accepted; notices changes by watching its directory. */
export async function jsonFile<T>(file: string, accept: (content: T) => boolean, what: string, limitMs: number): Promise<T> {
  let watcher: ReturnType<typeof watch> | undefined;
  const found = new Promise<T>((resolve) => {
    const look = async (): Promise<void> => {
      const content = await readJson<T>(file);
      if (content !== undefined && accept(content)) {
        resolve(content);
      }
    };
    watcher = watch(dirname(file), (_event, name) => {
      if (name === basename(file)) {
        void look();
      }
    });
    void look();
  });
  try {
    return await within(what, limitMs, found);
  } finally {
    watcher?.close();
  }
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
