import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';
import t from 'tap';
import { TUNNEL_LIMITS } from '../limits.ts';
import { call, closed, startMesh } from '../testing/mesh.ts';
import { streamsOf } from '../testing/streams.ts';
import { streamWindowBytes } from './receive-window.ts';

const MIB = 1024 * 1024;

t.test('a window covers two round trips, within its share of the budget', async (t) => {
  const limits = { ...TUNNEL_LIMITS.window, leastBytes: 2 * MIB, budgetBytes: 64 * MIB, bytesPerMs: 600_000 };
  for (const [roundTripMs, streams, windowMib] of [
    [0, 0, 2],
    [0.2, 1, 2],
    [3, 1, 4],
    [10, 1, 16],
    [50, 0, 64],
    [50, 1, 64],
    [400, 1, 64],
    [50, 2, 32],
    [50, 3, 16],
    [50, 8, 8],
    [10, 8, 8],
    [10, 3, 16],
    [50, 33, 2],
    [50, 512, 2],
  ] as const) {
    t.equal(streamWindowBytes(limits, roundTripMs, streams), windowMib * MIB, `${streams} streams over ${roundTripMs} ms`);
  }
});

t.test('no order of opening and stalling holds more than the budget allows for', async (t) => {
  const { window, http2 } = TUNNEL_LIMITS;
  let mostBytes = 0;
  for (let rank = 1; rank <= http2.streams; rank += 1) {
    mostBytes += streamWindowBytes(window, Number.POSITIVE_INFINITY, rank);
  }
  t.ok(mostBytes <= 3 * window.budgetBytes + http2.streams * window.leastBytes, `${mostBytes / MIB} MiB`);
});

t.test('the worker learns of the window before the stream that shrinks it, and of more after a calm', async (t) => {
  // So fast a line that its budget alone decides, however short it is.
  const window = { ...TUNNEL_LIMITS.window, budgetBytes: 16 * MIB, bytesPerMs: 1e12, calmMs: 1 };
  const mesh = await startMesh(t, { tunnel: { window } });
  const streams = streamsOf();
  const { session } = await mesh.startWorker({ serve: streams.serve });
  const given = (): number | undefined => session.remoteSettings.initialWindowSize;
  const becomes = async (windowBytes: number): Promise<void> => {
    while (given() !== windowBytes) {
      await once(session, 'remoteSettings');
    }
  };
  await becomes(16 * MIB);
  const client = mesh.connectClient();
  const calls: ClientHttp2Stream[] = [];
  for (const windowMib of [16, 8, 4, 4, 2, 2]) {
    calls.push(call(client, 'ListActions'));
    await streams.next();
    t.equal(given(), windowMib * MIB, `${calls.length} streams`);
  }
  for (const each of calls) {
    each.close(constants.NGHTTP2_CANCEL);
    await closed(each);
  }
  await becomes(16 * MIB);
  t.equal(mesh.tunnels.ready()[0]?.tunnel.streamWindowBytes, 16 * MIB);
});

t.test('on a short line the window stays as it is', async (t) => {
  const mesh = await startMesh(t, { tunnel: { window: { ...TUNNEL_LIMITS.window, bytesPerMs: 1, calmMs: 1 } } });
  const streams = streamsOf();
  const { session } = await mesh.startWorker({ serve: streams.serve });
  let settings = 0;
  session.on('remoteSettings', () => {
    settings += 1;
  });
  const request = call(mesh.connectClient(), 'ListActions');
  await streams.next();
  await new Promise((resolve) => session.ping(resolve));
  request.close(constants.NGHTTP2_CANCEL);
  await closed(request);
  await new Promise((resolve) => session.ping(resolve));
  t.equal(session.remoteSettings.initialWindowSize, TUNNEL_LIMITS.window.leastBytes);
  t.equal(settings, 0);
});
