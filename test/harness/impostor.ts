import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openAuthority } from '@jetbridge/pki/authority/authority';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { type Cleanup, temporaryDirectory } from './temporary.ts';

/** A server that claims to be the control-api, with a certificate of an authority of its own, and writes down all it is told. */
export interface Impostor {
  readonly url: string;
  /** Request lines, headers and bodies, decrypted. */
  heard(): string;
  requests(): number;
}

/** `bundlePem` is what it hands out as its roots: the genuine ones are public, so an impostor has them too. */
export async function startImpostor(t: Cleanup, bundlePem?: string): Promise<Impostor> {
  const directory = join(await temporaryDirectory(t), 'authority');
  const authority = await openAuthority({
    directory,
    kek: randomBytes(32),
    trustDomain: 'jetbridge.internal',
    now: () => new Date(),
    randomBytes,
  });
  const { privateKeyPem } = generateKeyPair();
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const issued = authority.issueService({
    csrPem: createCsr(privateKeyPem),
    kind: 'control-api',
    id: 'control-api',
    ...names,
    lifetimeMs: 3_600_000,
  });
  const bundle = JSON.stringify({ bundlePem: bundlePem ?? authority.bundlePem, rootPins: [authority.rootPin] });
  let heard = '';
  let requests = 0;
  const server = createServer({ key: privateKeyPem, cert: issued.certificateChainPem }, (request, response) => {
    requests += 1;
    heard += `${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}\n`;
    request.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end(bundle);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, heard: () => heard, requests: () => requests };
}
