import t from 'tap';
import { isJetbridgeHeader, PRINCIPAL_HEADER, ROWS_TRAILER } from './headers.ts';
import { isResourceName, requireResourceName } from './names.ts';
import { JETBRIDGE_VERSION } from './version.ts';

t.test('resource names are DNS labels in lower case', async (t) => {
  for (const name of ['a', '0', 'default', 'eu-west-1', 'a'.repeat(63)]) {
    t.ok(isResourceName(name), name);
    t.equal(requireResourceName('pool', name), name);
  }
  for (const name of ['', '-', '-a', 'a-', 'A', 'a_b', 'a.b', 'a b', 'ä', 'a\n', 'xn--bcher-kva', 'a'.repeat(64), 5, null, undefined]) {
    t.notOk(isResourceName(name), String(name));
    t.throws(() => requireResourceName('pool', name), { code: 'invalid_argument', message: /^pool / });
  }
});

t.test('our headers are known by their prefix in any case', async (t) => {
  for (const name of [PRINCIPAL_HEADER, ROWS_TRAILER, 'X-Jetbridge-Anything', 'x-jetbridge-']) {
    t.ok(isJetbridgeHeader(name), name);
  }
  for (const name of ['', 'x-jetbridg', 'authorization', 'ax-jetbridge-principal', 'x-jetbridge']) {
    t.notOk(isJetbridgeHeader(name), name);
  }
});

t.test('the version is a semantic version', async (t) => {
  t.match(JETBRIDGE_VERSION, /^\d+\.\d+\.\d+/);
});
