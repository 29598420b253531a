import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { lingerBeforeEnd } from './linger.ts';

async function pair(t: Test): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  t.teardown(() => {
    near.destroy();
    far.destroy();
  });
  return [near, far];
}

t.test('an ended socket stays open until the peer ends', async (t) => {
  const [near, far] = await pair(t);
  lingerBeforeEnd(near, 60_000);
  let called = false;
  near.end(() => (called = true));
  near.write('still here');
  const [data] = await once(far, 'data');
  t.equal(String(data), 'still here');
  t.equal(called, false);
  near.resume();
  far.end();
  await Promise.all([once(near, 'close'), once(far, 'close')]);
  t.equal(called, true);
});

t.test('a peer that never ends is waited for no longer than said', async (t) => {
  const [near, far] = await pair(t);
  lingerBeforeEnd(near, 1);
  near.end();
  far.resume();
  await once(far, 'end');
});
