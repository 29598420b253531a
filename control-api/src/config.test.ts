import t from 'tap';
import { ConfigError, readConfig } from './config.ts';

t.test('the defaults', (t) => {
  t.match(readConfig({ JETBRIDGE_DATA_DIR: '/data' }), {
    dataDirectory: '/data',
    listen: { host: '127.0.0.1', port: 8443 },
    tlsNames: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'] },
    logLevel: 'info',
    databaseUrl: undefined,
    trustDomain: 'jetbridge.internal',
  });
  t.match(readConfig({ JETBRIDGE_DATA_DIR: '/data', JETBRIDGE_LISTEN: '[::]:0' }).listen, { host: '::', port: 0 });
  t.end();
});

t.test('all problems are told at once, without the secret', (t) => {
  const environment = {
    JETBRIDGE_LISTEN: 'here',
    JETBRIDGE_LOG_LEVEL: 'loud',
    JETBRIDGE_TLS_NAMES: 'a,*.b',
    DATABASE_URL: 'mysql://u:geheim@h',
    JETBRIDGE_TRUST_DOMAIN: 'A B',
  };
  try {
    readConfig(environment);
    t.fail('the configuration was taken');
  } catch (error) {
    t.ok(error instanceof ConfigError);
    const { problems } = error as ConfigError;
    t.same(problems.map((problem) => problem.split(' ')[0]).sort(), [...Object.keys(environment), 'JETBRIDGE_DATA_DIR'].sort());
    t.notOk(problems.join().includes('geheim'));
  }
  t.end();
});
