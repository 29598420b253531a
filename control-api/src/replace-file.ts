import { open, rename, rm } from 'node:fs/promises';

/** Writes a whole file or nothing: readers see the old text or the new, also after a crash. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const unfinished = `${path}.new`;
  await rm(unfinished, { force: true });
  const file = await open(unfinished, 'wx', mode);
  try {
    // The process's umask may have taken bits away.
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}
