import { PROCESS_FLAGS, type ProcessCommand, runProcess } from './run-process.ts';

const WORKER: ProcessCommand = {
  command: 'jetbridge worker',
  about: 'Runs a worker: it stands beside the data, dials out to the gateways and executes statements. It opens no port to the network.',
  flags: [
    { name: 'control-url', value: 'URL', variable: 'JETBRIDGE_CONTROL_URL', about: 'The control-api, as https://HOST:PORT.' },
    { name: 'data-dir', value: 'DIR', variable: 'JETBRIDGE_DATA_DIR', isPath: true, about: 'Where the worker keeps its credential.' },
    {
      name: 'enroll-token-file',
      value: 'FILE',
      variable: 'JETBRIDGE_ENROLL_TOKEN_FILE',
      isPath: true,
      about: 'The one-time token; needed on the first start only.',
    },
    {
      name: 'source',
      value: 'DIR',
      variable: 'JETBRIDGE_SOURCE_DIR',
      isPath: true,
      about: 'Parquet, CSV, JSON and DuckDB files to serve: a view for each file, a schema for each subfolder.',
    },
    { name: 'catalog', value: 'NAME', variable: 'JETBRIDGE_CATALOG', about: 'The catalog those files appear in.' },
    {
      name: 'http-listen',
      value: 'HOST:PORT',
      variable: 'JETBRIDGE_HTTP_LISTEN',
      about: 'Where /healthz, /readyz and /metrics answer (default 127.0.0.1:9465).',
    },
    {
      name: 'engine-memory',
      value: 'AMOUNT',
      variable: 'JETBRIDGE_ENGINE_MEMORY',
      about: 'The most memory the engine may use, such as 4GiB (default a quarter of the machine).',
    },
    {
      name: 'engine-threads',
      value: 'N',
      variable: 'JETBRIDGE_ENGINE_THREADS',
      about: 'Threads of the engine (default: one for each core).',
    },
    ...PROCESS_FLAGS,
  ],
  examples: [
    'jetbridge worker --control-url https://jetbridge.example.com:8443 --enroll-token-file token \\',
    '  --data-dir /var/lib/jetbridge --source /srv/parquet --catalog sales',
  ],
  load: () => import('@jetbridge/worker/main'),
};

/** `jetbridge worker` */
export function worker(args: readonly string[]): Promise<number> {
  return runProcess(WORKER, args);
}
