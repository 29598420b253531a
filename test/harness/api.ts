import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import type { Mesh } from './mesh.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One request to the control-api over a connection of its own. */
export function callApi(mesh: Mesh, method: string, path: string, body?: object, accessToken?: string): Promise<ApiAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
  };
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, mesh.ready.apiUrl),
      { method, headers, ca: readFileSync(mesh.ready.caFile), agent: false },
      (response) => {
        json(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer as ApiAnswer['body'] }), reject);
      },
    );
    call.on('error', reject);
    call.end(text);
  });
}

/** An access token of the administrator. */
async function signIn(mesh: Mesh): Promise<string> {
  const { username, password } = mesh.ready;
  const { status, body } = await callApi(mesh, 'POST', '/v1/sign-in', { username, password });
  if (status !== 200 || typeof body.accessToken !== 'string') {
    throw new Error(`sign-in answered ${status} ${JSON.stringify(body)}`);
  }
  return body.accessToken;
}

/** A one-time token for a worker of the default pool. */
export async function createWorkerToken(mesh: Mesh, name: string): Promise<string> {
  const { status, body } = await callApi(
    mesh,
    'POST',
    '/v1/enrollment-tokens',
    { kind: 'worker', name, pool: 'default' },
    await signIn(mesh),
  );
  if (status >= 300 || typeof body.token !== 'string') {
    throw new Error(`an enrollment token was asked for, the answer is ${status} ${JSON.stringify(body)}`);
  }
  return body.token;
}
