import { Registry } from 'prom-client';
import t from 'tap';
import { listenHttp } from './http.ts';

t.test('health, readiness with its reason, metrics, and nothing else', async (t) => {
  let reason: string | undefined = 'no tunnel';
  const http = await listenHttp({ host: '127.0.0.1', port: 0 }, { registry: new Registry(), notReady: () => Promise.resolve(reason) });
  t.teardown(() => http.close());
  const get = async (path: string, init?: RequestInit): Promise<readonly [number, string]> => {
    const answer = await fetch(`http://${http.address}${path}`, init);
    return [answer.status, (await answer.text()).trim()];
  };
  t.same(await get('/healthz'), [200, 'ok']);
  t.same(await get('/readyz'), [503, 'no tunnel']);
  reason = undefined;
  t.same(await get('/readyz?verbose'), [200, 'ok']);
  t.equal((await get('/metrics'))[0], 200);
  t.equal((await get('/'))[0], 404);
  t.equal((await get('/healthz', { method: 'POST' }))[0], 405);
});

t.test('a port in use is named', async (t) => {
  const health = { registry: new Registry(), notReady: () => Promise.resolve(undefined) };
  const first = await listenHttp({ host: '127.0.0.1', port: 0 }, health);
  t.teardown(() => first.close());
  const port = Number(first.address.split(':')[1]);
  await t.rejects(listenHttp({ host: '127.0.0.1', port }, health), { message: new RegExp(`JETBRIDGE_HTTP_LISTEN.*${port}`) });
});
