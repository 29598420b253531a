import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that is gone after the test. Readable by others, since PostgreSQL runs as another user. */
export async function temporaryDirectory(t: Cleanup): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'jetbridge-test-'));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** The part of a tap test that cleans up; the root of a file has it too. */
export interface Cleanup {
  teardown(clean: () => unknown): unknown;
}
