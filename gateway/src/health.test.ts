import t from 'tap';
import { createHealthServer } from './health.ts';
import { HEALTH_LIMITS } from './limits.ts';
import { formatAddress, listen } from './listen.ts';
import { Metrics } from './telemetry.ts';

t.test('probes and metrics', async (t) => {
  let reason: string | undefined = 'the gateway is starting';
  const metrics = new Metrics();
  metrics.watch({
    tunnels: () => 3,
    tunnelStreams: () => 0,
    clientConnections: () => 0,
    cachedCallers: () => 0,
    carriedResultBytes: () => 0,
  });
  metrics.called('DoGet', 14, 0.1);
  const server = createHealthServer({ metrics, notReady: () => reason, limits: HEALTH_LIMITS });
  const address = await listen(server, { host: '127.0.0.1', port: 0 }, 'test');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const get = async (path: string, method = 'GET'): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://${formatAddress(address)}${path}`, { method });
    return { status: response.status, text: await response.text() };
  };
  t.same(await get('/healthz'), { status: 200, text: 'ok' });
  t.same(await get('/readyz'), { status: 503, text: 'the gateway is starting' });
  reason = undefined;
  t.same(await get('/readyz?verbose'), { status: 200, text: 'ok' });
  const { text } = await get('/metrics');
  t.match(text, /jetbridge_gateway_tunnels 3/);
  t.match(text, /jetbridge_gateway_calls_total\{method="DoGet",status="unavailable"\} 1/);
  t.equal((await get('/other')).status, 404);
  t.equal((await get('/healthz', 'POST')).status, 405);

  const second = createHealthServer({ metrics, notReady: () => undefined, limits: HEALTH_LIMITS });
  await t.rejects(listen(second, address, 'JETBRIDGE_HTTP_LISTEN'), { message: /\(JETBRIDGE_HTTP_LISTEN\): the port is in use/ });
});
