import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { gatewayCredential, testAuthority, workerCredential } from '../testing/credentials.ts';
import { TestGateway } from '../testing/gateway.ts';
import { createDialer, hostAndPort } from './dialer.ts';

t.test('dials the gateway it was told of, and no other', async (t) => {
  const authority = await testAuthority(t.testdir());
  const gateway = await TestGateway.listen(gatewayCredential(authority));
  t.teardown(() => gateway.close());
  const dial = createDialer(() => workerCredential(authority));
  const { signal } = new AbortController();
  const socket = await dial(gateway.address, signal);
  t.equal(socket.alpnProtocol, 'jetbridge-tunnel/1');
  socket.destroy();
  await t.rejects(dial({ ...gateway.address, id: newId('gtw') }, signal), { code: 'permission_denied' });
});

t.test('a listener of another authority is refused', async (t) => {
  const foreign = await TestGateway.listen(gatewayCredential(await testAuthority(`${t.testdir()}/foreign`)));
  t.teardown(() => foreign.close());
  const own = workerCredential(await testAuthority(`${t.testdirName}/own`));
  await t.rejects(createDialer(() => own)(foreign.address, new AbortController().signal), { code: 'unavailable' });
});

t.test('a closed port and an aborted dial fail at once', async (t) => {
  const authority = await testAuthority(t.testdir());
  const gateway = await TestGateway.listen(gatewayCredential(authority));
  const { address } = gateway;
  const dial = createDialer(() => workerCredential(authority));
  await t.rejects(dial(address, AbortSignal.abort()), { code: 'unavailable' });
  await gateway.close();
  await t.rejects(dial(address, new AbortController().signal), { code: 'unavailable' });
});

t.test('addresses are read strictly', async (t) => {
  t.same(hostAndPort('[::1]:80'), { host: '::1', port: 80 });
  t.same(hostAndPort('gateway.example:31338'), { host: 'gateway.example', port: 31338 });
  for (const address of ['', 'host', ':1', '::1:80', 'host:port']) {
    t.throws(() => hostAndPort(address), { code: 'invalid_argument' }, address);
  }
});
