import t from 'tap';
import * as flight from './flight.ts';
import {
  decodeBasicAuth,
  decodeHandshakeRequest,
  decodeHandshakeResponse,
  encodeBasicAuth,
  encodeHandshakeRequest,
  encodeHandshakeResponse,
} from './flight-handshake.ts';

const bytes = (text: string) => Buffer.from(text);
const descriptor: flight.FlightDescriptor = { type: 'CMD', cmd: bytes('command'), path: [] };
const endpoint: flight.FlightEndpoint = {
  ticket: { ticket: bytes('ticket') },
  location: [{ uri: 'grpc+tls://a:1' }],
  expirationTime: new Date('2031-02-03T04:05:06.789Z'),
  appMetadata: bytes('e'),
};
const flightInfo: flight.FlightInfo = {
  schema: bytes('schema'),
  flightDescriptor: descriptor,
  endpoint: [endpoint, { ticket: { ticket: bytes('2') }, location: [], expirationTime: undefined, appMetadata: bytes('') }],
  totalRecords: -1,
  totalBytes: 2 ** 52,
  ordered: true,
  appMetadata: bytes('m'),
};

t.test('field numbers are those of the specification', async (t) => {
  t.same(flight.encodeFlightDescriptor(descriptor), Buffer.concat([Buffer.from([0x08, 2, 0x12, 7]), bytes('command')]));
  t.same(flight.encodeTicket({ ticket: bytes('ab') }), Buffer.from([0x0a, 2, 0x61, 0x62]));
  t.same(flight.encodeAction({ type: 'T', body: bytes('b') }), Buffer.from([0x0a, 1, 0x54, 0x12, 1, 0x62]));
  t.same(flight.encodeResult({ body: bytes('b') }), Buffer.from([0x0a, 1, 0x62]));
  t.same(flight.encodePutResult({ appMetadata: bytes('b') }), Buffer.from([0x0a, 1, 0x62]));
  t.same(encodeBasicAuth({ username: 'u', password: 'p' }), Buffer.from([0x12, 1, 0x75, 0x1a, 1, 0x70]));
  const encoded = flight.encodeFlightData({ dataHeader: bytes('h'), appMetadata: bytes(''), dataBody: bytes('b') });
  t.ok(encoded.subarray(-4).equals(Buffer.from([0xc2, 0x3e, 1, 0x62])), 'the body is field 1000, last');
});

t.test('messages come back as they were', async (t) => {
  t.same(flight.decodeFlightDescriptor(flight.encodeFlightDescriptor(descriptor)), descriptor);
  const path: flight.FlightDescriptor = { type: 'PATH', cmd: bytes(''), path: ['a', 'ü'] };
  t.same(flight.decodeFlightDescriptor(flight.encodeFlightDescriptor(path)), path);
  t.same(flight.decodeFlightInfo(flight.encodeFlightInfo(flightInfo)), flightInfo);
  t.same(flight.decodeFlightEndpoint(flight.encodeFlightEndpoint(endpoint)), endpoint);
  t.same(flight.decodeTicket(flight.encodeTicket(endpoint.ticket)), endpoint.ticket);
  t.same(flight.decodeAction(flight.encodeAction({ type: 't', body: bytes('b') })), { type: 't', body: bytes('b') });
  t.same(flight.decodeActionType(flight.encodeActionType({ type: 't', description: 'd' })), { type: 't', description: 'd' });
  t.same(flight.decodeResult(flight.encodeResult({ body: bytes('b') })), { body: bytes('b') });
  t.same(flight.decodePutResult(flight.encodePutResult({ appMetadata: bytes('b') })), { appMetadata: bytes('b') });
  t.same(flight.decodeSchemaResult(flight.encodeSchemaResult({ schema: bytes('s') })), { schema: bytes('s') });
  t.same(flight.decodeCriteria(flight.encodeCriteria({ expression: bytes('x') })), { expression: bytes('x') });
  t.same(flight.decodeCancelFlightInfoRequest(flight.encodeCancelFlightInfoRequest(flightInfo)), flightInfo);
  t.same(flight.decodeRenewFlightEndpointRequest(flight.encodeRenewFlightEndpointRequest(endpoint)), endpoint);
  for (const status of ['unspecified', 'cancelled', 'cancelling', 'not_cancellable'] as const) {
    t.equal(flight.decodeCancelFlightInfoResult(flight.encodeCancelFlightInfoResult(status)), status);
  }
});

t.test('a poll is running with a descriptor and over without one', async (t) => {
  const running = { info: flightInfo, flightDescriptor: descriptor, progress: 0, expirationTime: new Date(0) };
  t.same(flight.decodePollInfo(flight.encodePollInfo(running)), running);
  const over = { info: flightInfo, flightDescriptor: undefined, progress: undefined, expirationTime: undefined };
  t.same(flight.decodePollInfo(flight.encodePollInfo(over)), over);
  t.equal(flight.decodePollInfo(Buffer.alloc(0)).info, undefined);
});

t.test('handshakes', async (t) => {
  const request = { protocolVersion: '18446744073709551615', payload: encodeBasicAuth({ username: 'ü', password: 'p:w' }) };
  t.same(decodeHandshakeRequest(encodeHandshakeRequest(request)), request);
  t.same(decodeHandshakeResponse(encodeHandshakeResponse(request)), request);
  t.same(decodeBasicAuth(request.payload), { username: 'ü', password: 'p:w' });
});

t.test('data is taken apart without copying', async (t) => {
  const encoded = flight.encodeFlightData({
    descriptor,
    dataHeader: bytes('h'),
    appMetadata: bytes('a'),
    dataBody: Buffer.alloc(100_000, 3),
  });
  const head = flight.decodeFlightData(encoded);
  t.same(head.descriptor, descriptor);
  t.ok(head.dataHeader.equals(bytes('h')));
  t.ok(head.appMetadata.equals(bytes('a')));
  t.equal(head.dataBody.length, 100_000);
  t.equal(head.dataBody.buffer, encoded.buffer);
  t.equal(flight.decodeFlightData(Buffer.alloc(0)).descriptor, undefined);
});

t.test('what is missing where it is needed, out of range, garbage or too large has a status', async (t) => {
  t.throws(() => flight.decodeCancelFlightInfoRequest(Buffer.alloc(0)), { code: 'invalid_argument' });
  t.throws(() => flight.decodeRenewFlightEndpointRequest(Buffer.alloc(0)), { code: 'invalid_argument' });
  const endOfTime = Buffer.from([0x1a, 10, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
  t.throws(() => flight.decodeFlightEndpoint(endOfTime), { code: 'invalid_argument' });
  t.throws(() => flight.decodeTicket(Buffer.from([0x0a, 5, 1])), { code: 'invalid_argument' });
  t.throws(() => flight.decodeCriteria(Buffer.alloc(2 * 1024 * 1024)), { code: 'resource_exhausted' });
  t.throws(() => flight.decodeFlightData(Buffer.alloc(64 * 1024 * 1024 + 1)), { code: 'resource_exhausted' });
  t.throws(() => flight.decodeFlightDescriptor(Buffer.alloc(100_000, 0x0b)), { code: 'invalid_argument' }, 'deeply nested groups');
  t.equal(flight.decodeFlightDescriptor(Buffer.from([0x08, 77])).type, 77, 'a descriptor type of the future');
});
