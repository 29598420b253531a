import { resolve } from 'node:path';
import t from 'tap';
import { ConfigError, readConfig } from './config.ts';

t.test('the least there must be, and the defaults', async (t) => {
  t.same(readConfig({ JETBRIDGE_CONTROL_URL: 'https://127.0.0.1:8443' }), {
    controlUrl: 'https://127.0.0.1:8443',
    dataDir: resolve('jetbridge-data/gateway'),
    readyFile: undefined,
    logLevel: 'info',
    enrollToken: { token: undefined, file: undefined },
    flightListen: { host: '0.0.0.0', port: 31337 },
    flightReusePort: false,
    flightTunnelWaitMs: 0,
    tunnelListen: { host: '0.0.0.0', port: 31338 },
    tunnelAddress: undefined,
    httpListen: { host: '127.0.0.1', port: 9464 },
    redisUrl: undefined,
    drainTimeoutMs: 30_000,
  });
});

t.test('what can be set', async (t) => {
  t.match(
    readConfig({
      JETBRIDGE_CONTROL_URL: 'https://control.example',
      JETBRIDGE_FLIGHT_LISTEN: '[::1]:0',
      JETBRIDGE_FLIGHT_REUSE_PORT: 'true',
      JETBRIDGE_FLIGHT_TUNNEL_WAIT_S: '10',
      JETBRIDGE_TUNNEL_ADDRESS: 'gateway.example:443',
      REDIS_URL: 'redis://127.0.0.1:6379',
      JETBRIDGE_DRAIN_TIMEOUT_S: '5',
    }),
    {
      flightListen: { host: '::1', port: 0 },
      flightReusePort: true,
      flightTunnelWaitMs: 10_000,
      tunnelAddress: 'gateway.example:443',
      redisUrl: 'redis://127.0.0.1:6379',
      drainTimeoutMs: 5_000,
    },
  );
});

t.test('all problems at once', async (t) => {
  const environment = {
    JETBRIDGE_LOG_LEVEL: 'loud',
    JETBRIDGE_FLIGHT_LISTEN: 'nowhere',
    JETBRIDGE_FLIGHT_REUSE_PORT: 'yes',
    JETBRIDGE_FLIGHT_TUNNEL_WAIT_S: '61',
    JETBRIDGE_TUNNEL_LISTEN: '0.0.0.0:70000',
    JETBRIDGE_TUNNEL_ADDRESS: '0.0.0.0:1',
    REDIS_URL: 'http://x',
    JETBRIDGE_DRAIN_TIMEOUT_S: 'soon',
  };
  const error = t.throws(() => readConfig(environment), ConfigError) as unknown as ConfigError;
  t.match(error.message, /9 problem/);
  for (const name of ['JETBRIDGE_CONTROL_URL is not set', ...Object.keys(environment)]) {
    t.match(error.message, name);
  }
});
