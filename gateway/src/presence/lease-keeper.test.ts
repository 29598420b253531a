import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { PRESENCE_LIMITS } from '../limits.ts';
import { startMesh } from '../testing/mesh.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { MemoryPresence } from './memory-presence.ts';

async function start(t: Test) {
  const mesh = await startMesh(t);
  const presence = new MemoryPresence(PRESENCE_LIMITS, () => Date.now());
  const keeper = new LeaseKeeper({
    gatewayId: mesh.gatewayId,
    tunnels: mesh.tunnels,
    presence,
    limits: PRESENCE_LIMITS,
    log: pino({ level: 'silent' }),
  });
  return { mesh, presence, keeper };
}

t.test('a tunnel has a lease while it lives', async (t) => {
  const { mesh, presence, keeper } = await start(t);
  const worker = await mesh.startWorker();
  await keeper.reconcile();
  const lease = await presence.find(worker.workerId);
  t.match(lease, { workerId: worker.workerId, gatewayId: mesh.gatewayId, pool: 'default' });
  await keeper.reconcile();
  t.same(await presence.find(worker.workerId), lease, 'renewed, not claimed anew');
  mesh.tunnels.closeAll('test');
  await keeper.reconcile();
  t.equal(await presence.find(worker.workerId), undefined);
});

t.test('a lease that went to another gateway is left to it until it lets go', async (t) => {
  const { mesh, presence, keeper } = await start(t);
  const { workerId } = await mesh.startWorker();
  await keeper.reconcile();
  const others = await presence.acquire({ workerId, tunnelId: newId('tun'), gatewayId: newId('gtw'), pool: 'default', bootId: 'boot' });
  await keeper.reconcile();
  await keeper.reconcile();
  t.same(await presence.find(workerId), others);
  await presence.release(others);
  await keeper.reconcile();
  t.equal((await presence.find(workerId))?.gatewayId, mesh.gatewayId);
});

t.test('a new tunnel of the same worker claims anew', async (t) => {
  const { mesh, presence, keeper } = await start(t);
  const { workerId } = await mesh.startWorker();
  await keeper.reconcile();
  const before = await presence.find(workerId);
  await mesh.startWorker({ workerId });
  await keeper.reconcile();
  const after = await presence.find(workerId);
  t.not(after?.tunnelId, before?.tunnelId);
  t.ok((after?.epoch ?? 0) > (before?.epoch ?? 0));
});

t.test('a store that fails is asked again in the next round', async (t) => {
  const { mesh, presence, keeper } = await start(t);
  const { workerId } = await mesh.startWorker();
  const { acquire } = presence;
  presence.acquire = () => Promise.reject(new StatusError('unavailable', 'away'));
  await keeper.reconcile();
  presence.acquire = acquire;
  await keeper.reconcile();
  t.ok(await presence.find(workerId));
});

t.test('stopping releases everything', async (t) => {
  const { mesh, presence, keeper } = await start(t);
  const { workerId } = await mesh.startWorker();
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  await keeper.reconcile();
  stop.abort();
  await running;
  t.equal(await presence.find(workerId), undefined);
});
