import { readFile } from 'node:fs/promises';
import { readEnvironment } from '../config.ts';
import { layoutOf } from '../start/layout.ts';
import { ADMIN, type MeshReport } from '../start/mesh-report.ts';
import { findOwner } from '../start/owner-lock.ts';
import { type Arguments, CommandError, type Flag, UsageError } from '../usage.ts';
import { ApiClient, parseApiUrl } from './api-client.ts';

/** The mesh that `jetbridge start` runs on this data directory; undefined when none does. */
export async function findLocalMesh(dataDir: string): Promise<MeshReport | undefined> {
  const layout = layoutOf(dataDir);
  if ((await findOwner(layout.lock)) === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(await readFile(layout.mesh, 'utf8')) as MeshReport;
  } catch {
    return undefined;
  }
}

export async function requireLocalMesh(dataDir: string, remoteFlag: string): Promise<MeshReport> {
  const mesh = await findLocalMesh(dataDir);
  if (mesh === undefined) {
    throw new CommandError(
      `no mesh is ready on ${dataDir}; start one with \`jetbridge start\`, or name another with --data-dir or ${remoteFlag}`,
    );
  }
  return mesh;
}

export const API_FLAGS: readonly Flag[] = [
  {
    name: 'api-url',
    value: 'URL',
    about: 'The control-api, as https://HOST:PORT. Without it: the mesh that runs on the data directory here.',
  },
  {
    name: 'ca',
    value: 'FILE',
    about: 'Root certificates (PEM) that sign the control-api. Without it: those of the local mesh, or of the system.',
  },
  {
    name: 'token',
    value: 'TOKEN',
    about: "An admin's access token (JETBRIDGE_TOKEN). Without it: the initial admin password of the local mesh.",
  },
  { name: 'data-dir', value: 'DIR', about: 'Where the local mesh keeps its state (JETBRIDGE_DATA_DIR, default ./jetbridge-data).' },
];

/** Runs `work` as the caller that the flags, the environment or the local mesh name. */
export async function withApi<T>(args: Arguments, work: (api: ApiClient, signal: AbortSignal) => Promise<T>): Promise<T> {
  const environment = readEnvironment();
  const signal = new AbortController().signal;
  const apiUrl = args.text('api-url');
  const token = args.text('token') ?? environment.accessToken;
  const mesh = apiUrl === undefined ? await requireLocalMesh(args.text('data-dir') ?? environment.dataDir, '--api-url') : undefined;
  const caFile = args.text('ca') ?? mesh?.caFile;
  const address = { apiUrl: mesh?.apiUrl ?? parseApiUrl(apiUrl ?? ''), caPem: caFile === undefined ? undefined : await readCa(caFile) };
  if (token !== undefined) {
    return work(new ApiClient(address, token), signal);
  }
  if (mesh === undefined) {
    throw new UsageError('give an access token with --token or JETBRIDGE_TOKEN');
  }
  if (mesh.password === undefined) {
    throw new UsageError("the initial admin password is no longer kept here; give an admin's access token with --token or JETBRIDGE_TOKEN");
  }
  const api = await new ApiClient(address).signIn(ADMIN, mesh.password, signal);
  try {
    return await work(api, signal);
  } finally {
    await api.signOut(signal);
  }
}

export async function readCa(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`cannot read the CA file ${file} (${error.code})`);
  });
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new CommandError(`${file} holds no certificate in PEM`);
  }
  return pem;
}
