import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { Server as HttpsServer } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Authority } from '@jetbridge/pki/authority/authority';
import type { Credential } from '@jetbridge/pki/credential/credential';
import { controlListenerOptions } from '@jetbridge/pki/trust/tls';
import { StatusError } from '@jetbridge/proto/status-error';
import { createApi } from './api.ts';
import { Passwords } from './auth/passwords.ts';
import { createInitialAdmin, type PrincipalsOptions } from './auth/principals.ts';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './database/database.ts';
import { takeOwnerLock } from './database/owner-lock.ts';
import type { ApiInstance } from './http/api-instance.ts';
import { tlsPeerReader } from './http/peer.ts';
import { DRAIN_TIMEOUT_MS, PASSWORD_COST } from './limits.ts';
import { openOwnAuthority } from './pki/authority.ts';
import { issueOwnCredential } from './pki/own-credential.ts';
import { replaceFile } from './replace-file.ts';
import { runAll } from './run.ts';
import { createLogger, createMetrics, type Logger } from './telemetry.ts';

/** The control-api of one data directory: opened, answering until the signal, and closed in reverse order. */
export function createApp(config: Config): (signal: AbortSignal) => Promise<void> {
  const logger = createLogger(config.logLevel);
  const now = () => new Date();

  return async (signal) => {
    await using resources = new AsyncDisposableStack();
    await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
    const lock = takeOwnerLock(config.dataDirectory, { pid: process.pid, startedAt: now().toISOString() });
    resources.defer(() => lock.release());

    const database = await openOwnDatabase(config, logger);
    resources.defer(() => database.close());
    const authority = await openOwnAuthority({ ...config, now, randomBytes });
    const credential = issueOwnCredential(authority, config.tlsNames);

    const { server, principals } = await createApi({
      rows: database.rows,
      authority,
      passwords: new Passwords(PASSWORD_COST, randomBytes),
      logger,
      metrics: createMetrics(() => database.waiting()),
      now,
      randomBytes,
      readPeer: tlsPeerReader(config.trustDomain, now),
      tls: controlListenerOptions(() => credential),
    });
    resources.defer(() => closeServer(server));
    await keepInitialAdmin(config, principals, logger);
    if (signal.aborted) {
      return;
    }
    const apiUrl = await listen(server, config);
    await announce(config, apiUrl, resources);
    logger.info(
      { apiUrl, database: config.databaseUrl === undefined ? 'embedded' : 'postgres', rootPin: authority.rootPin },
      'control-api is ready',
    );
    await runAll(signal, [
      (stopped) => renewCredential(server, authority, config, credential, stopped),
      (stopped) => watchDatabase(database, stopped),
    ]);
    logger.info('control-api is stopping');
  };
}

function openOwnDatabase({ databaseUrl, dataDirectory }: Config, logger: Logger): Promise<Database> {
  return openDatabase(
    databaseUrl === undefined
      ? { kind: 'embedded', dataDirectory }
      : { kind: 'postgres', url: databaseUrl, onLost: (error) => logger.warn({ err: error }, 'an idle database connection was lost') },
  );
}

async function keepInitialAdmin({ dataDirectory }: Config, principals: PrincipalsOptions, logger: Logger): Promise<void> {
  const passwordFile = join(dataDirectory, 'initial-admin-password');
  if (await createInitialAdmin(principals, (password) => replaceFile(passwordFile, `${password}\n`, 0o600))) {
    logger.info({ passwordFile }, 'the principal admin was created; its password is in the file');
  }
}

async function listen(server: ApiInstance, { listen: { host, port } }: Config): Promise<string> {
  await server.listen({ host, port, listenTextResolver: () => 'the listener is open' }).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'EADDRINUSE' ? 'the address is in use' : (cause.code ?? cause.message);
    throw new StatusError('unavailable', `cannot listen on ${host}:${port}: ${reason}`, { cause });
  });
  const address = server.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  const reachable = LOOPBACK_OF_ANY.get(host) ?? host;
  return `https://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${actualPort}`;
}

/** A listener on every address is told by one that works here. */
const LOOPBACK_OF_ANY = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

async function announce({ readyFile }: Config, apiUrl: string, resources: AsyncDisposableStack): Promise<void> {
  if (readyFile !== undefined) {
    await replaceFile(readyFile, `${JSON.stringify({ pid: process.pid, apiUrl })}\n`, 0o600);
    resources.defer(() => rm(readyFile, { force: true }));
  }
}

/** Requests under way are finished, but not waited for beyond `DRAIN_TIMEOUT_MS`. */
async function closeServer(server: ApiInstance): Promise<void> {
  const timer = setTimeout(() => server.server.closeAllConnections(), DRAIN_TIMEOUT_MS);
  await server.close();
  clearTimeout(timer);
}

/** Takes a new key and certificate halfway through each one's life; connections that are open keep theirs. */
async function renewCredential(
  server: ApiInstance,
  authority: Authority,
  { tlsNames }: Config,
  first: Credential,
  signal: AbortSignal,
): Promise<void> {
  let credential = first;
  while (!signal.aborted) {
    await waitFor((credential.notAfter.getTime() - Date.now()) / 2, signal);
    if (!signal.aborted && server.server instanceof HttpsServer) {
      credential = issueOwnCredential(authority, tlsNames);
      server.server.setSecureContext(controlListenerOptions(() => credential));
    }
  }
}

function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(1000, delayMs));
    signal.addEventListener('abort', end, { once: true });
  });
}

async function watchDatabase(database: Database, signal: AbortSignal): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
  const error = await Promise.race([database.failed, stopped]);
  if (error !== undefined) {
    throw error;
  }
}
