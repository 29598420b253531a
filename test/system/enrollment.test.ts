import { readFile } from 'node:fs/promises';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { parseEnrollmentToken } from '@jetbridge/proto/enrollment';
import t from 'tap';
import { callApi, createWorkerToken } from '../harness/api.ts';
import { type Ended, jetbridgeCommand, runToEnd } from '../harness/command.ts';
import { startImpostor } from '../harness/impostor.ts';
import { startMesh } from '../harness/mesh.ts';
import { smallSource } from '../harness/source.ts';
import { temporaryDirectory } from '../harness/temporary.ts';

t.setTimeout(180_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

const newRequest = (token: string): { token: string; csr: string } => ({ token, csr: createCsr(generateKeyPair().privateKeyPem) });

t.test('60 enrollments at once with one token: exactly one succeeds', async (t) => {
  const token = await createWorkerToken(mesh, 'contested');
  const requests = Array.from({ length: 60 }, () => newRequest(token));
  const answers = await Promise.all(requests.map((request) => callApi(mesh, 'POST', '/v1/enroll', request)));
  const counts = Map.groupBy(answers, ({ status }) => status);
  const succeeded = answers.filter(({ status }) => status < 300);
  t.equal(succeeded.length, 1, `answers by status: ${[...counts].map(([status, all]) => `${status}: ${all.length}`).join(', ')}`);
  t.match(succeeded[0]?.body, { id: /^wkr_/, name: 'contested', certificateChainPem: /BEGIN CERTIFICATE/ });
  t.same(
    answers.filter(({ status }) => status >= 500),
    [],
    'nobody saw a server error',
  );
  const later = await callApi(mesh, 'POST', '/v1/enroll', newRequest(token));
  t.ok(later.status === 401 || later.status === 429, `used up: ${later.status}`);
});

t.test('a token is refused when it was changed, and the answer says nothing about why', async (t) => {
  const token = await createWorkerToken(mesh, 'forged');
  const { secret } = parseEnrollmentToken(token);
  const other = secret.startsWith('A') ? `B${secret.slice(1)}` : `A${secret.slice(1)}`;
  const answer = await callApi(mesh, 'POST', '/v1/enroll', newRequest(token.replace(secret, other)));
  t.ok(answer.status === 401 || answer.status === 429, String(answer.status));
  t.notMatch(JSON.stringify(answer.body), new RegExp(secret.slice(0, 10)));
});

t.test('a worker never sends its token to a server behind another CA', async (t) => {
  const genuineRoots = await readFile(mesh.ready.caFile, 'utf8');
  const token = await createWorkerToken(mesh, 'misled');
  const { secret } = parseEnrollmentToken(token);

  const misled = async (url: string): Promise<Ended> =>
    runToEnd(jetbridgeCommand('worker'), {
      limitMs: 30_000,
      environment: {
        JETBRIDGE_DATA_DIR: await temporaryDirectory(t),
        JETBRIDGE_CONTROL_URL: url,
        JETBRIDGE_ENROLL_TOKEN: token,
        JETBRIDGE_HTTP_LISTEN: '127.0.0.1:0',
      },
    });

  t.test('that shows its own root, which the pin does not fit', async (t) => {
    const impostor = await startImpostor(t);
    const ended = await misled(impostor.url);
    t.not(ended.code, 0);
    t.match(ended.stdout + ended.stderr, /not sent|pin/i);
    t.ok(impostor.requests() > 0, 'it was asked for its roots');
    t.notMatch(impostor.heard(), secret);
  });

  t.test('that shows the genuine root, which did not sign its certificate', async (t) => {
    const impostor = await startImpostor(t, genuineRoots);
    const ended = await misled(impostor.url);
    t.not(ended.code, 0);
    t.ok(impostor.requests() > 0, 'it was asked for its roots');
    t.notMatch(impostor.heard(), secret);
  });

  t.test('and the token is still good', async (t) => {
    const answer = await callApi(mesh, 'POST', '/v1/enroll', newRequest(token));
    t.ok(answer.status === 200 || answer.status === 201 || answer.status === 429, `${answer.status} ${JSON.stringify(answer.body)}`);
  });
});
