import { once } from 'node:events';
import { StatusError } from '@jetbridge/proto/status-error';
import { pino } from 'pino';
import t from 'tap';
import { startMesh } from '../testing/mesh.ts';
import { keepTunnelsReported, registerGateway } from './reports.ts';

const LIMITS = { requestTimeoutMs: 1_000, tunnelReportIntervalMs: 3_600_000, retryMinMs: 1, retryMaxMs: 2 };
const log = pino({ level: 'silent' });
const random = (): number => 0;

t.test('registration is tried until it is heard', async (t) => {
  const mesh = await startMesh(t);
  let attempts = 0;
  mesh.control.register = async () => {
    attempts += 1;
    if (attempts < 3) {
      throw new StatusError('unavailable', 'away');
    }
  };
  const report = { tunnelAddress: 'a:1', flightAddress: 'b:2', version: '0' };
  await registerGateway(report, { ...mesh, limits: LIMITS, log, random }, new AbortController().signal);
  t.equal(attempts, 3);
  mesh.control.register = () => Promise.reject(new StatusError('unavailable', 'away'));
  await registerGateway(report, { ...mesh, limits: LIMITS, log, random }, AbortSignal.timeout(5));
});

t.test('tunnels are reported when they change, all of them each time', async (t) => {
  const mesh = await startMesh(t);
  const reported = new EventTarget();
  const reports: { tunnels: { workerId: string }[] }[] = [];
  const next = (): Promise<unknown> => once(reported, 'report');
  mesh.control.reportTunnels = async (tunnels) => {
    reports.push({ tunnels: tunnels as { workerId: string }[] });
    reported.dispatchEvent(new Event('report'));
  };
  const stop = new AbortController();
  const first = next();
  const running = keepTunnelsReported({ ...mesh, limits: LIMITS, log, random }, stop.signal);
  await first;
  t.same(reports.at(-1)?.tunnels, []);
  const second = next();
  const worker = await mesh.startWorker();
  await second;
  t.match(reports.at(-1)?.tunnels, [{ workerId: worker.workerId, bootId: 'boot', catalogs: ['main'], connectedAt: /T.*Z$/ }]);
  const third = next();
  worker.socket.destroy();
  await third;
  t.same(reports.at(-1)?.tunnels, []);
  stop.abort();
  await running;
});
