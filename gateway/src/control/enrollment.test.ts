import { join } from 'node:path';
import { saveCredential } from '@jetbridge/pki/credential/files';
import { serviceCredential, temporaryDirectory, testAuthority, workerCredential } from '@jetbridge/pki/fixture';
import { pino } from 'pino';
import t from 'tap';
import { gatewayCredential } from './enrollment.ts';

const log = pino({ level: 'silent' });
const { signal } = new AbortController();
const controlUrl = 'https://127.0.0.1:1';

t.test('a saved credential needs no token and no control-api', async (t) => {
  const directory = join(temporaryDirectory(t), 'credential');
  const saved = serviceCredential(await testAuthority(t), 'gateway');
  await saveCredential(directory, saved);
  const loaded = await gatewayCredential({ controlUrl, directory, tokenSource: {}, now: () => new Date(), log }, signal);
  t.same(loaded.identity, saved.identity);
  const later = (): Date => new Date(saved.notAfter.getTime() + 1);
  await t.rejects(gatewayCredential({ controlUrl, directory, tokenSource: {}, now: later, log }, signal), {
    code: 'failed_precondition',
    message: /expired at .* new enrollment token/,
  });
});

t.test("another process's credential is refused", async (t) => {
  const directory = join(temporaryDirectory(t), 'credential');
  await saveCredential(directory, workerCredential(await testAuthority(t)));
  await t.rejects(gatewayCredential({ controlUrl, directory, tokenSource: {}, now: () => new Date(), log }, signal), {
    message: /credential of a worker, not of a gateway/,
  });
});

t.test('the first start needs a token', async (t) => {
  const directory = join(temporaryDirectory(t), 'credential');
  const start = (tokenSource: { token?: string; file?: string }) =>
    gatewayCredential({ controlUrl, directory, tokenSource, now: () => new Date(), log }, signal);
  await t.rejects(start({}), { message: /JETBRIDGE_ENROLL_TOKEN_FILE/ });
  await t.rejects(start({ file: join(directory, 'none') }), { message: /cannot be read/ });
  await t.rejects(start({ token: 'nonsense' }), { code: 'invalid_argument', message: /not an enrollment token/ });
});
