import type { WorkerSelf } from '@jetbridge/proto/control';
import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { createLogger } from '../telemetry.ts';
import { GatewayDirectory } from './gateways.ts';

t.test('tells watchers what the control-api says, and keeps it while that does not answer', async (t) => {
  const address = { id: newId('gtw'), tunnelAddress: '127.0.0.1:1', serverName: 'localhost' };
  const self: WorkerSelf = { id: newId('wkr'), name: 'w', pool: 'blue', labels: {}, gateways: [address] };
  const stop = new AbortController();
  const failed = Promise.withResolvers<void>();
  let asked = 0;
  const directory = new GatewayDirectory({
    ask: () => {
      asked += 1;
      if (asked === 1) {
        return Promise.resolve(self);
      }
      failed.resolve();
      return Promise.reject(new Error('no answer'));
    },
    log: createLogger('silent'),
  });
  t.same(directory.gateways, []);
  const heard = new Promise<void>((resolve) => {
    directory.watch(() => {
      if (directory.gateways.length > 0) {
        resolve();
      }
    });
  });
  const running = directory.run(stop.signal);
  await heard;
  t.same(directory.gateways, [address]);
  t.equal(directory.pool, 'blue');
  directory.refresh();
  await failed.promise;
  t.same(directory.gateways, [address]);
  stop.abort();
  await running;
});
