import { StatusError } from '@jetbridge/proto/status-error';
import type { Pool } from '../tunnel/tunnels.ts';

const DEFAULT_POOL = 'default';

const CATALOGS_NAMED = 20;

/** The pool that new work goes to: the one that serves the catalog the client asks for, or the default one. */
export function choosePool(catalog: string | undefined, pools: ReadonlyMap<string, Pool>): Pool {
  if (pools.size === 0 || catalog === undefined) {
    return requirePool(DEFAULT_POOL, pools);
  }
  // The default pool goes first where several serve a catalog of that name.
  const candidates = [pools.get(DEFAULT_POOL), ...pools.values()];
  const found = candidates.find((pool) => pool?.catalogs.has(catalog));
  if (found === undefined) {
    throw new StatusError('not_found', `no connected worker serves the catalog "${catalog}"; there are: ${namesOfCatalogs(pools)}`);
  }
  return found;
}

function requirePool(name: string, pools: ReadonlyMap<string, Pool>): Pool {
  const pool = pools.get(name);
  if (pool === undefined) {
    throw noWorkerOfPool(name);
  }
  return pool;
}

export function noWorkerOfPool(name: string): StatusError {
  return new StatusError(
    'unavailable',
    `no worker of pool "${name}" is connected; start one with \`jetbridge worker\` and an enrollment token from \`jetbridge enroll-token create\``,
  );
}

function namesOfCatalogs(pools: ReadonlyMap<string, Pool>): string {
  const names = [...new Set([...pools.values()].flatMap((pool) => [...pool.catalogs]))].sort();
  const shown = names.slice(0, CATALOGS_NAMED).map((name) => `"${name}"`);
  if (names.length > CATALOGS_NAMED) {
    shown.push(`and ${names.length - CATALOGS_NAMED} more`);
  }
  return shown.length === 0 ? 'none' : shown.join(', ');
}
