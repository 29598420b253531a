import { rename, rm, writeFile } from 'node:fs/promises';

/** Readers see the old content or all of the new one, never a part. */
export async function writeAtomically(file: string, content: string, mode: number): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  try {
    await writeFile(draft, content, { mode });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
