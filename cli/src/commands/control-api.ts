import { PROCESS_FLAGS, type ProcessCommand, runProcess } from './run-process.ts';

const CONTROL_API: ProcessCommand = {
  command: 'jetbridge control-api',
  about: 'Runs the control-api: people, enrollment, the PKI, workers and their state, audit. The API is described at /docs.',
  flags: [
    { name: 'listen', value: 'HOST:PORT', variable: 'JETBRIDGE_LISTEN', about: 'Where the API answers over TLS (default 127.0.0.1:8443).' },
    {
      name: 'data-dir',
      value: 'DIR',
      variable: 'JETBRIDGE_DATA_DIR',
      isPath: true,
      about: 'Where the CA keys and the embedded database are.',
    },
    {
      name: 'tls-names',
      value: 'NAMES',
      variable: 'JETBRIDGE_TLS_NAMES',
      about: 'DNS names and IP addresses of the certificate, with commas (default localhost,127.0.0.1,::1).',
    },
    {
      name: 'database-url',
      value: 'URL',
      variable: 'DATABASE_URL',
      about: 'A Postgres database; without it an embedded one in the data directory.',
    },
    {
      name: 'ca-kek-file',
      value: 'FILE',
      variable: 'JETBRIDGE_CA_KEK_FILE',
      isPath: true,
      about: 'The key that seals the CA keys; without it one is made in the data directory.',
    },
    {
      name: 'trust-domain',
      value: 'NAME',
      variable: 'JETBRIDGE_TRUST_DOMAIN',
      about: 'The trust domain in the identities of workers and gateways (default jetbridge.internal).',
    },
    ...PROCESS_FLAGS,
  ],
  examples: ['jetbridge control-api --data-dir /var/lib/jetbridge --listen 0.0.0.0:8443 --tls-names jetbridge.example.com'],
  notes: 'The first start creates the principal admin and writes its password to initial-admin-password in the data directory.',
  load: () => import('@jetbridge/control-api/main'),
};

/** `jetbridge control-api` */
export function controlApi(args: readonly string[]): Promise<number> {
  return runProcess(CONTROL_API, args);
}
