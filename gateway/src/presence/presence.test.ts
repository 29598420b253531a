// One contract, two stores.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@jetbridge/proto/ids';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { PRESENCE_LIMITS } from '../limits.ts';
import type { LeaseClaim, Presence } from './interface.ts';
import { MemoryPresence } from './memory-presence.ts';
import { RedisPresence } from './redis-presence.ts';

function claimOf(workerId: string, gatewayId = newId('gtw')): LeaseClaim {
  return { workerId, tunnelId: newId('tun'), gatewayId, pool: 'default', bootId: 'boot' };
}

/** `expire` makes the worker's lease run out now. */
function contract(t: Test, presence: Presence, expire: (workerId: string) => Promise<void>): void {
  t.test('a lease is found until it is released', async (t) => {
    const claim = claimOf(newId('wkr'));
    t.equal(await presence.find(claim.workerId), undefined);
    const lease = await presence.acquire(claim);
    t.same(await presence.find(claim.workerId), lease);
    t.match(lease, claim);
    t.equal(await presence.release(lease), true);
    t.equal(await presence.find(claim.workerId), undefined);
    t.equal(await presence.release(lease), false);
  });
  t.test('epochs grow, also over releases and expiry', async (t) => {
    const workerId = newId('wkr');
    const first = await presence.acquire(claimOf(workerId));
    const second = await presence.acquire(claimOf(workerId));
    t.ok(second.epoch > first.epoch);
    await presence.release(second);
    const third = await presence.acquire(claimOf(workerId));
    t.ok(third.epoch > second.epoch);
    await expire(workerId);
    t.ok((await presence.acquire(claimOf(workerId))).epoch > third.epoch);
  });
  t.test('the latest claim wins: an earlier holder can neither renew nor release', async (t) => {
    const workerId = newId('wkr');
    const first = await presence.acquire(claimOf(workerId));
    const second = await presence.acquire(claimOf(workerId));
    t.equal(await presence.renew(first), false);
    t.equal(await presence.release(first), false);
    t.same(await presence.find(workerId), second);
    t.equal(await presence.renew(second), true);
  });
  t.test('a lease expires; its holder may take it up again while nobody else has', async (t) => {
    const workerId = newId('wkr');
    const lease = await presence.acquire(claimOf(workerId));
    await expire(workerId);
    t.equal(await presence.find(workerId), undefined);
    t.equal(await presence.renew(lease), true);
    t.same(await presence.find(workerId), lease);
    await expire(workerId);
    await presence.acquire(claimOf(workerId));
    t.equal(await presence.renew(lease), false);
  });
  t.test('workers do not touch each other', async (t) => {
    const [one, other] = await Promise.all([presence.acquire(claimOf(newId('wkr'))), presence.acquire(claimOf(newId('wkr')))]);
    await presence.release(one);
    t.same(await presence.find(other.workerId), other);
  });
  t.test('of many claims at once one is the latest', async (t) => {
    const workerId = newId('wkr');
    const leases = await Promise.all(Array.from({ length: 20 }, () => presence.acquire(claimOf(workerId))));
    t.equal(new Set(leases.map(({ epoch }) => epoch)).size, leases.length);
    const renewed = await Promise.all(leases.map((lease) => presence.renew(lease)));
    t.equal(renewed.filter(Boolean).length, 1);
  });
}

t.test('in memory', async (t) => {
  const clock = { ms: 0 };
  const presence = new MemoryPresence(PRESENCE_LIMITS, () => clock.ms);
  contract(t, presence, async () => {
    clock.ms += PRESENCE_LIMITS.leaseTtlMs;
  });
});

const missing = spawnSync('redis-server', ['--version']).error !== undefined;
if (missing && process.env.CI === 'true') {
  t.fail('redis-server is not on the PATH');
}

t.test('in Redis', { skip: missing ? 'redis-server is not on the PATH' : false }, async (t) => {
  const { url, stop } = await startRedis(t);
  const presence = new RedisPresence(url, PRESENCE_LIMITS, () => undefined);
  const probe = new Redis(url);
  t.teardown(async () => {
    await presence.close();
    probe.disconnect();
  });
  await probe.ping();
  t.test('the contract', async (t) => {
    contract(t, presence, async (workerId) => {
      // What the server does at the end of the TTL, without waiting for it.
      await probe.pexpire(`jetbridge:{${workerId}}:lease`, 0);
    });
  });
  t.test('every key expires', async (t) => {
    await presence.acquire(claimOf(newId('wkr')));
    const keys = await probe.keys('jetbridge:*');
    t.ok(keys.length > 0);
    for (const key of keys) {
      t.ok((await probe.pttl(key)) > 0, key);
    }
  });
  t.test('a Redis that is gone is an error', async (t) => {
    await stop();
    await t.rejects(presence.find(newId('wkr')), { code: 'unavailable' });
  });
});

async function startRedis(t: Test): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'jetbridge-redis-'));
  const socket = join(directory, 'redis.sock');
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(server, 'exit');
  const stop = async (): Promise<void> => {
    server.kill();
    await exited;
  };
  t.teardown(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  });
  for await (const line of server.stdout) {
    if (/ready to accept connections/i.test(String(line))) {
      break;
    }
  }
  return { url: socket, stop };
}
