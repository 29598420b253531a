import { rename, rm, writeFile } from 'node:fs/promises';

/** Says where this gateway answers. Appears whole or not at all. */
export interface Ready {
  readonly pid: number;
  readonly flightUri: string;
  readonly flightAddress: string;
  readonly tunnelAddress: string;
  readonly httpAddress: string;
}

export async function writeReadyFile(path: string, ready: Ready): Promise<void> {
  const draft = `${path}.${ready.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(ready)}\n`);
  await rename(draft, path);
}

export async function removeReadyFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
