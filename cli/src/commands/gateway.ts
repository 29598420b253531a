import { PROCESS_FLAGS, type ProcessCommand, runProcess } from './run-process.ts';

const GATEWAY: ProcessCommand = {
  command: 'jetbridge gateway',
  about: 'Runs a gateway: clients connect to it with Flight SQL, and workers open their tunnels to it.',
  flags: [
    { name: 'control-url', value: 'URL', variable: 'JETBRIDGE_CONTROL_URL', about: 'The control-api, as https://HOST:PORT.' },
    { name: 'data-dir', value: 'DIR', variable: 'JETBRIDGE_DATA_DIR', isPath: true, about: 'Where the gateway keeps its credential.' },
    {
      name: 'enroll-token-file',
      value: 'FILE',
      variable: 'JETBRIDGE_ENROLL_TOKEN_FILE',
      isPath: true,
      about: 'The one-time token; needed on the first start only.',
    },
    {
      name: 'flight-listen',
      value: 'HOST:PORT',
      variable: 'JETBRIDGE_FLIGHT_LISTEN',
      about: 'Where clients connect (default 0.0.0.0:31337).',
    },
    {
      name: 'tunnel-listen',
      value: 'HOST:PORT',
      variable: 'JETBRIDGE_TUNNEL_LISTEN',
      about: 'Where workers connect (default 0.0.0.0:31338).',
    },
    {
      name: 'tunnel-address',
      value: 'HOST:PORT',
      variable: 'JETBRIDGE_TUNNEL_ADDRESS',
      about: 'What workers are told to dial (default: where it listens).',
    },
    {
      name: 'http-listen',
      value: 'HOST:PORT',
      variable: 'JETBRIDGE_HTTP_LISTEN',
      about: 'Where /healthz, /readyz and /metrics answer (default 127.0.0.1:9464).',
    },
    { name: 'redis-url', value: 'URL', variable: 'REDIS_URL', about: 'Shares presence between gateways; without it there is one gateway.' },
    ...PROCESS_FLAGS,
  ],
  examples: [
    'jetbridge enroll-token create --kind gateway --name edge-1 --dns-name edge-1.example.com > token',
    'jetbridge gateway --control-url https://jetbridge.example.com:8443 \\',
    '  --enroll-token-file token --data-dir /var/lib/jetbridge',
  ],
  notes: 'For bulk results set NODE_OPTIONS=--max-semi-space-size=2 as well, as `jetbridge start` does: it saves a third of the CPU.',
  load: () => import('@jetbridge/gateway/main'),
};

/** `jetbridge gateway` */
export function gateway(args: readonly string[]): Promise<number> {
  return runProcess(GATEWAY, args);
}
