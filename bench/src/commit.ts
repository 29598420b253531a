import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

export interface Commit {
  readonly commit: string;
  readonly dirty: boolean;
}

/** What is measured; results and reports of earlier runs are no change of it. */
export function readCommit(): Commit {
  const commit = git('rev-parse', '--short', 'HEAD');
  const changes = git('status', '--porcelain', '--', '.', ':!bench/results');
  return { commit: commit ?? 'unknown', dirty: changes !== '' };
}

function git(...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: repositoryRoot, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
