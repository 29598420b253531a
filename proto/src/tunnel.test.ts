import t from 'tap';
import { decodeHello, decodeHelloReply, encodeHello, encodeHelloReply, TUNNEL_HELLO_PATH } from './tunnel.ts';

const reply = { workerId: 'wkr_1', bootId: 'b', pool: 'default', version: '0.1.0', catalogs: ['main', 'sales'], defaultCatalog: 'main' };

t.test('hello and its reply keep every field', async (t) => {
  const hello = { gatewayId: 'gtw_1', gatewayVersion: '0.1.0', tunnelId: 'tun_1' };
  t.same(decodeHello(encodeHello(hello)), hello);
  t.same(decodeHelloReply(encodeHelloReply(reply)), reply);
  t.equal(TUNNEL_HELLO_PATH, '/jetbridge.tunnel.v1.Tunnel/Hello');
});

t.test('an older or newer peer is understood: absent fields are empty, unknown ones ignored', async (t) => {
  t.same(decodeHello(Buffer.alloc(0)), { gatewayId: '', gatewayVersion: '', tunnelId: '' });
  const unknownField15 = Buffer.from([0x7a, 1, 0x61]);
  t.same(decodeHelloReply(Buffer.concat([encodeHelloReply(reply), unknownField15])), reply);
});

t.test('garbage and oversize are errors with a status', async (t) => {
  t.throws(() => decodeHello(Buffer.from([0x0a, 0xff])), { code: 'invalid_argument' });
  t.throws(() => decodeHelloReply(Buffer.alloc(2 * 1024 * 1024)), { code: 'resource_exhausted' });
});
