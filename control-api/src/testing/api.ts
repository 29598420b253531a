import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Authority, openAuthority } from '@jetbridge/pki/authority/authority';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Test } from 'tap';
import { createApi } from '../api.ts';
import { Passwords } from '../auth/passwords.ts';
import { createInitialAdmin } from '../auth/principals.ts';
import type { Database, Rows } from '../database/database.ts';
import type { ApiInstance } from '../http/api-instance.ts';
import type { PeerReader } from '../http/peer.ts';
import { createLogger, createMetrics } from '../telemetry.ts';

/** An answer of the API, its body read as JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests assert on whatever the API answers
  readonly body: any;
  readonly text: string;
}

export interface Call {
  readonly body?: unknown;
  /** Access token. */
  readonly bearer?: string;
  /** `worker/<id>` or `gateway/<id>`: who a fake certificate speaks for. */
  readonly peer?: string;
  readonly address?: string;
}

export interface TestApi {
  readonly server: ApiInstance;
  readonly rows: Rows;
  readonly authority: Authority;
  readonly adminPassword: string;
  readonly logs: readonly string[];
  readonly clock: TestClock;
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, call?: Call): Promise<Answer>;
  /** Signs the first admin in. */
  admin(): Promise<string>;
}

/** A clock that stands still until it is told to go. */
export class TestClock {
  #ms = Date.parse('2026-01-02T03:04:05.678Z');

  readonly now = (): Date => new Date(this.#ms);

  advance(ms: number): void {
    this.#ms += ms;
  }
}

/** scrypt at a cost that suits a hundred sign-ins in a test. */
const CHEAP_PASSWORDS = { log2N: 4, blockSize: 8, parallelization: 1 };

/** The whole API on a database, called without sockets. */
export async function openTestApi(t: Test, database: Database): Promise<TestApi> {
  const directory = await mkdtemp(join(tmpdir(), 'jetbridge-authority-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const clock = new TestClock();
  const { now } = clock;
  const authority = await openAuthority({
    directory: join(directory, 'authority'),
    kek: randomBytes(32),
    trustDomain: 'test.internal',
    now,
    randomBytes,
  });
  const logs: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logs.push(chunk.toString());
      done();
    },
  });
  const { server, principals } = await createApi({
    rows: database.rows,
    authority,
    passwords: new Passwords(CHEAP_PASSWORDS, randomBytes),
    logger: createLogger('trace', destination),
    metrics: createMetrics(() => database.waiting()),
    now,
    randomBytes,
    readPeer: peerOfHeader,
  });
  t.teardown(() => server.close());
  let adminPassword = '';
  await createInitialAdmin(principals, (password) => {
    adminPassword = password;
    return Promise.resolve();
  });

  async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, { body, bearer, peer, address }: Call = {}): Promise<Answer> {
    const answer = await server.inject({
      method,
      url,
      remoteAddress: address ?? '192.0.2.1',
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(peer === undefined ? {} : { 'x-test-peer': peer }),
      },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const json = /json/.test(String(answer.headers['content-type']));
    return { status: answer.statusCode, headers: answer.headers, body: json ? answer.json() : undefined, text: answer.body };
  }

  return {
    server,
    rows: database.rows,
    authority,
    adminPassword,
    logs,
    clock,
    call,
    admin: async () => (await call('POST', '/v1/sign-in', { body: { username: 'admin', password: adminPassword } })).body.accessToken,
  };
}

// Stands for requirePeer, which has its own tests and one over real TLS here.
const peerOfHeader: PeerReader = (request, kind) => {
  const [peerKind, id] = String(request.headers['x-test-peer'] ?? '').split('/');
  if (id === undefined) {
    throw new StatusError('unauthenticated', `a certificate of a ${kind} is required`);
  }
  if (peerKind !== kind) {
    throw new StatusError('permission_denied', `the certificate was refused: it is of a ${peerKind}`);
  }
  return { trustDomain: 'test.internal', kind, id };
};

export function newCsr(): string {
  return createCsr(generateKeyPair().privateKeyPem);
}

/** Creates a token and uses it. */
export async function enrolled(api: TestApi, token: Readonly<Record<string, unknown>>): Promise<Answer['body']> {
  const created = await api.call('POST', '/v1/enrollment-tokens', { bearer: await api.admin(), body: token });
  return (await api.call('POST', '/v1/enroll', { body: { token: created.body.token, csr: newCsr() } })).body;
}
