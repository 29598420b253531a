import t from 'tap';
import { timeoutMsOf } from './deadline.ts';
import { requestHeadersForWorker, responseHeadersForClient, trailersForClient } from './relay-headers.ts';

t.test('a request keeps what is end to end, and nothing that only the gateway may say', async (t) => {
  const mapped = requestHeadersForWorker(
    {
      ':method': 'POST',
      ':path': '/arrow.flight.protocol.FlightService/DoGet',
      ':authority': 'gateway.example',
      ':scheme': 'http',
      authorization: 'Basic x',
      'auth-token-bin': 'x',
      'proxy-authorization': 'x',
      cookie: 'x',
      te: 'gzip',
      connection: 'close',
      'x-jetbridge-principal': 'prn_forged',
      'grpc-timeout': '1S',
      'custom-bin': 'AA',
    },
    { 'x-jetbridge-principal': 'prn_real' },
  );
  t.same(mapped, {
    ':method': 'POST',
    ':path': '/arrow.flight.protocol.FlightService/DoGet',
    ':authority': 'worker',
    ':scheme': 'https',
    te: 'trailers',
    'grpc-timeout': '1S',
    'custom-bin': 'AA',
    'x-jetbridge-principal': 'prn_real',
  });
});

t.test('a response and its trailers keep what is end to end', async (t) => {
  t.same(
    responseHeadersForClient({
      ':status': '200',
      'content-type': 'application/grpc',
      date: 'x',
      'x-jetbridge-a': 'x',
      'set-cookie': ['a', 'b'],
    }),
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'set-cookie': ['a', 'b'],
    },
  );
  t.same(trailersForClient({ 'grpc-status': '0', 'x-jetbridge-rows': '1', 'grpc-status-details-bin': 'AA' }), {
    'grpc-status': '0',
    'grpc-status-details-bin': 'AA',
  });
});

t.test('grpc-timeout', async (t) => {
  for (const [header, ms] of [
    ['5S', 5_000],
    ['100m', 100],
    ['2M', 120_000],
    ['1H', 3_600_000],
    ['5000u', 5],
    ['99999999n', 99.999999],
  ] as const) {
    t.equal(timeoutMsOf(header), ms, header);
  }
  for (const header of [undefined, '', '5', 'S', '-1S', '123456789S', '1.5S', '99999999H']) {
    t.equal(timeoutMsOf(header), undefined, String(header));
  }
});
