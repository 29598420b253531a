import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { PRESENCE_TTL_MS } from '../limits.ts';
import { enrolled, openTestApi } from '../testing/api.ts';
import { onEachDatabase } from '../testing/databases.ts';

const REPORT = { tunnelAddress: 'gw.example.com:31338', flightAddress: '[2001:db8::1]:31337', version: '0.1.0' };

onEachDatabase(t, async (t, open) => {
  const api = await openTestApi(t, await open(t));
  const gatewayId: string = (await enrolled(api, { kind: 'gateway', name: 'edge', dnsNames: ['edge.example.com'] })).id;
  const workerId: string = (await enrolled(api, { kind: 'worker', name: 'w1', pool: 'files' })).id;
  const gateway = `gateway/${gatewayId}`;
  const worker = `worker/${workerId}`;
  const tunnel = (of: string, catalogs: readonly string[] = ['main']) => ({
    tunnelId: newId('tun'),
    workerId: of,
    bootId: 'b1',
    version: '0.1.0',
    connectedAt: api.clock.now().toISOString(),
    catalogs,
  });
  const report = (tunnels: readonly object[]) => api.call('PUT', '/v1/gateway/tunnels', { peer: gateway, body: { tunnels } });
  const readWorker = async () => (await api.call('GET', `/v1/workers/${workerId}`, { bearer: await api.admin() })).body;
  const readAddresses = async () => (await api.call('GET', '/v1/worker/self', { peer: worker })).body.gateways;

  await t.test('a worker learns of gateways while they report', async (t) => {
    t.same(await readAddresses(), []);
    t.equal((await api.call('PUT', '/v1/gateway/self', { peer: gateway, body: REPORT })).status, 204);
    t.same(await readAddresses(), [{ id: gatewayId, tunnelAddress: REPORT.tunnelAddress, serverName: 'edge.example.com' }]);
    const listed = (await api.call('GET', '/v1/gateways', { bearer: await api.admin() })).body.gateways;
    t.match(listed, [{ id: gatewayId, name: 'edge', alive: true, ...REPORT, tunnels: 0 }]);
    api.clock.advance(PRESENCE_TTL_MS);
    t.same(await readAddresses(), []);
    t.match((await api.call('GET', '/v1/gateways', { bearer: await api.admin() })).body.gateways, [{ alive: false }]);
  });

  await t.test('a worker is online while a gateway reports its tunnel', async (t) => {
    t.equal((await readWorker()).online, false);
    const held = tunnel(workerId, ['main', 'sales "2"']);
    t.equal((await report([held, tunnel(newId('wkr'))])).status, 204, 'an unknown worker is left out');
    const { workerId: _, ...seen } = held;
    t.match(await readWorker(), { online: true, tunnels: [{ ...seen, gatewayId }] });
    t.match((await api.call('GET', '/v1/workers', { bearer: await api.admin() })).body.workers, [{ id: workerId, online: true }]);
    await report([{ ...held, catalogs: [] }]);
    t.match(await readWorker(), { online: true, tunnels: [{ catalogs: [] }] }, 'the same tunnel with other catalogs');
    await report([]);
    t.match(await readWorker(), { online: false, tunnels: [] });
    await report([held]);
    api.clock.advance(PRESENCE_TTL_MS);
    t.match(await readWorker(), { online: false, tunnels: [] }, 'a gateway that fell silent knows nothing');
    t.equal((await report([held, held])).status, 400, 'a tunnel twice');
  });

  await t.test('a gateway asks whether to admit a worker', async (t) => {
    const admission = await api.call('GET', `/v1/gateway/workers/${workerId}`, { peer: gateway });
    t.same(admission.body, { id: workerId, name: 'w1', pool: 'files', labels: {}, state: 'active' });
    t.equal((await api.call('GET', `/v1/gateway/workers/${newId('wkr')}`, { peer: gateway })).status, 404);
  });

  await t.test('each kind of certificate opens its own routes only', async (t) => {
    const routes = [
      ['PUT', '/v1/gateway/self', worker],
      ['PUT', '/v1/gateway/tunnels', worker],
      ['POST', '/v1/gateway/authenticate', worker],
      ['POST', '/v1/gateway/sessions', worker],
      ['GET', `/v1/gateway/workers/${workerId}`, worker],
      ['GET', '/v1/worker/self', gateway],
    ] as const;
    for (const [method, url, peer] of routes) {
      t.equal((await api.call(method, url, { peer })).status, 403, `${method} ${url}`);
      t.equal((await api.call(method, url)).status, 401, `${method} ${url} without a certificate`);
      t.equal((await api.call(method, url, { bearer: await api.admin() })).status, 401, `${method} ${url} with an access token`);
    }
    t.equal((await api.call('GET', '/v1/workers', { peer: gateway })).status, 401, 'a certificate is no access token');
  });

  await t.test('a revoked or unknown identity is refused whatever its certificate', async (t) => {
    t.match((await api.call('GET', '/v1/worker/self', { peer: `worker/${newId('wkr')}` })).body, {
      status: 403,
      detail: /enroll it again/,
    });
    await api.rows.updateTable('worker').set({ state: 'revoked' }).where('id', '=', workerId).execute();
    t.equal((await api.call('GET', '/v1/worker/self', { peer: worker })).status, 403);
    t.equal((await api.call('GET', `/v1/gateway/workers/${workerId}`, { peer: gateway })).body.state, 'revoked');
  });

  await t.test('a snapshot of ten thousand tunnels is taken', async (t) => {
    const tunnels = Array.from({ length: 10_000 }, () => tunnel(newId('wkr')));
    t.equal((await report(tunnels)).status, 204);
    t.equal((await report([...tunnels, tunnel(workerId)])).status, 400, 'one more is not');
  });
});
