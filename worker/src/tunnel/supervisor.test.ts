import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import t, { type Test } from 'tap';
import { createLogger, createMetrics } from '../telemetry.ts';
import { gatewayCredential, testAuthority, workerCredential } from '../testing/credentials.ts';
import { TestGateway } from '../testing/gateway.ts';
import { Backoff } from './backoff.ts';
import { createDialer } from './dialer.ts';
import { serveTunnel } from './session.ts';
import { type GatewaySource, TunnelSupervisor } from './supervisor.ts';

class Addresses implements GatewaySource {
  gateways: readonly GatewayAddress[] = [];
  refreshes = 0;
  readonly #watchers = new Set<() => void>();

  refresh(): void {
    this.refreshes += 1;
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    changed();
    return () => this.#watchers.delete(changed);
  }

  become(gateways: readonly GatewayAddress[]): void {
    this.gateways = gateways;
    for (const changed of this.#watchers) {
      changed();
    }
  }
}

async function open(t: Test) {
  const authority = await testAuthority(t.testdir());
  const worker = workerCredential(authority);
  const source = new Addresses();
  const log = createLogger('silent');
  const metrics = createMetrics();
  const hello = { workerId: worker.identity.id, bootId: 'boot', pool: 'default', version: '0', catalogs: [], defaultCatalog: '' };
  const ready = Promise.withResolvers<void>();
  const supervisor = new TunnelSupervisor({
    source,
    dial: createDialer(() => worker),
    serve: (socket, gateway, events, signal) =>
      serveTunnel(socket, { gatewayId: gateway.id, hello: () => hello, handlers: new Map(), log, metrics }, events, signal),
    log,
    metrics,
    random: () => 0,
    ready: ready.resolve,
  });
  const stop = new AbortController();
  const running = supervisor.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
  });
  const gateway = async (id?: string) => {
    const listening = await TestGateway.listen(gatewayCredential(authority, id));
    t.teardown(() => listening.close());
    return listening;
  };
  return { source, supervisor, gateway, ready: ready.promise, stop, running };
}

t.test('keeps one tunnel to every gateway, and drops those that are gone', async (t) => {
  const { source, supervisor, gateway, ready } = await open(t);
  const [one, two] = [await gateway(), await gateway()];
  source.become([one.address, two.address]);
  const [first, second] = [await one.nextTunnel(), await two.nextTunnel()];
  t.equal(supervisor.serving, 0);
  await one.hello(first);
  await ready;
  await two.hello(second);
  t.equal(supervisor.serving, 2);
  const closed = new Promise((resolve) => second.session.once('close', resolve));
  source.become([one.address]);
  await closed;
  t.equal(supervisor.serving, 1);
});

t.test('dials again when a tunnel is lost, and finds a gateway that moved', async (t) => {
  const { source, gateway } = await open(t);
  const before = await gateway();
  source.become([before.address]);
  const tunnel = await before.nextTunnel();
  await before.hello(tunnel);
  const after = await gateway(before.address.id);
  source.gateways = [after.address];
  await before.close();
  const again = await after.nextTunnel();
  await after.hello(again);
  t.ok(source.refreshes > 0, 'the control-api is asked anew');
});

t.test('dials again when the gateway drains', async (t) => {
  const { source, supervisor, gateway } = await open(t);
  const draining = await gateway();
  source.become([draining.address]);
  const tunnel = await draining.nextTunnel();
  await draining.hello(tunnel);
  tunnel.session.goaway();
  const again = await draining.nextTunnel();
  await draining.hello(again);
  t.equal(supervisor.serving, 1);
});

t.test('delays double to their bound and start over', async (t) => {
  const backoff = new Backoff(() => 1);
  t.same([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()], [100, 200, 400]);
  for (let failure = 0; failure < 20; failure += 1) {
    backoff.nextMs();
  }
  t.equal(backoff.nextMs(), 15_000);
  backoff.succeeded();
  t.equal(backoff.nextMs(), 100);
  t.equal(new Backoff(() => 0).nextMs(), 50);
});
