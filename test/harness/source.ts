import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cleanup, temporaryDirectory } from './temporary.ts';

/** A directory with one small CSV file: enough for meshes whose tests bring their own rows. */
export async function smallSource(t: Cleanup): Promise<string> {
  const directory = join(await temporaryDirectory(t), 'files');
  await mkdir(directory);
  await writeFile(join(directory, 'gate.csv'), 'id,name\n1,A1\n2,A2\n3,B7\n');
  return directory;
}
