import t from 'tap';
import { ConfigError, parseListen, readConfig, sizeThreadPool } from './config.ts';

const GOOD = { JETBRIDGE_DATA_DIR: '/data', JETBRIDGE_CONTROL_URL: 'https://localhost:8443' };

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (thrown) {
    return thrown instanceof ConfigError ? thrown.problems : [String(thrown)];
  }
}

t.test('two settings are enough', async (t) => {
  const config = readConfig(GOOD);
  t.match(config, { dataDirectory: '/data', catalog: 'files', logLevel: 'info', httpListen: { host: '127.0.0.1', port: 9465 } });
  t.equal(config.enrollmentToken, undefined);
  t.ok(config.engineMemoryBytes >= 256 * 2 ** 20);
});

t.test('all problems are told at once', async (t) => {
  const problems = problemsOf({
    JETBRIDGE_CONTROL_URL: 'http://localhost',
    JETBRIDGE_LOG_LEVEL: 'loud',
    JETBRIDGE_CATALOG: 'main',
    JETBRIDGE_SOURCE_DIR: '/does/not/exist',
    JETBRIDGE_HTTP_LISTEN: 'nowhere',
    JETBRIDGE_ENGINE_MEMORY: 'much',
    JETBRIDGE_ENGINE_THREADS: '0',
    JETBRIDGE_ENROLL_TOKEN: 'jbe_wrong',
  });
  t.same(
    problems.map((problem) => problem.slice(0, problem.indexOf(':'))),
    [
      'JETBRIDGE_DATA_DIR',
      'JETBRIDGE_LOG_LEVEL',
      'JETBRIDGE_CONTROL_URL',
      'JETBRIDGE_ENROLL_TOKEN',
      'JETBRIDGE_SOURCE_DIR',
      'JETBRIDGE_CATALOG',
      'JETBRIDGE_HTTP_LISTEN',
      'JETBRIDGE_ENGINE_MEMORY',
      'JETBRIDGE_ENGINE_THREADS',
    ],
  );
  t.notMatch(problems.join('\n'), /jbe_wrong/, 'a token is never repeated');
});

t.test('addresses and amounts', async (t) => {
  t.same(parseListen('[::1]:0'), { host: '::1', port: 0 });
  t.throws(() => parseListen('127.0.0.1:70000'));
  t.equal(readConfig({ ...GOOD, JETBRIDGE_ENGINE_MEMORY: '2GiB' }).engineMemoryBytes, 2 * 2 ** 30);
});

t.test('the pool is sized unless the operator did', async (t) => {
  const env: NodeJS.ProcessEnv = {};
  sizeThreadPool(env);
  t.ok(Number(env.UV_THREADPOOL_SIZE) > 4);
  const chosen = { UV_THREADPOOL_SIZE: '9' };
  sizeThreadPool(chosen);
  t.equal(chosen.UV_THREADPOOL_SIZE, '9');
});
