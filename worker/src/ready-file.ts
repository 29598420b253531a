import { rename, writeFile } from 'node:fs/promises';

/** Says in one step, so that no reader sees half of it, that this process answers. */
export async function writeReadyFile(file: string, content: Readonly<Record<string, string | number>>): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(draft, file);
}
