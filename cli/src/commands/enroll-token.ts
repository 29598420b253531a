import { isResourceName } from '@jetbridge/proto/names';
import { textField } from '../api/api-client.ts';
import { API_FLAGS, withApi } from '../api/local-mesh.ts';
import { HELP_FLAG, renderHelp } from '../help.ts';
import { type Arguments, EXIT_OK, type Flag, parseArguments, UsageError } from '../usage.ts';

const FLAGS: readonly Flag[] = [
  { name: 'name', value: 'NAME', about: 'The name of the worker or gateway: lower-case letters, digits and hyphens.' },
  { name: 'kind', value: 'worker|gateway', about: 'What the token is for (default worker).' },
  { name: 'pool', value: 'POOL', about: 'The pool the worker serves (default: default). Only for workers.' },
  { name: 'label', value: 'KEY=VALUE', multiple: true, about: 'A label of the worker. May be given several times.' },
  { name: 'dns-name', value: 'NAME', multiple: true, about: 'A DNS name clients and workers reach the gateway by. Only for gateways.' },
  {
    name: 'ip-address',
    value: 'ADDRESS',
    multiple: true,
    about: 'An IP address clients and workers reach the gateway by. Only for gateways.',
  },
  { name: 'tunnel-address', value: 'HOST:PORT', about: 'Where workers dial the gateway. Only for gateways.' },
  { name: 'ttl', value: 'TIME', about: 'How long the token may be used, such as 30m, 1h or 600s (default 1h).' },
  { name: 'json', about: 'Print what the API answers, as JSON.' },
  ...API_FLAGS,
  HELP_FLAG,
];

/** `jetbridge enroll-token create` */
export async function createEnrollmentToken(args: readonly string[]): Promise<number> {
  const given = parseArguments({ command: 'jetbridge enroll-token create', flags: FLAGS }, args);
  if (given.on('help')) {
    process.stdout.write(help());
    return EXIT_OK;
  }
  const body = enrollmentRequest(given);
  const answer = await withApi(given, (api, signal) => api.call('POST', '/v1/enrollment-tokens', signal, body));
  if (given.on('json')) {
    process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    return EXIT_OK;
  }
  // Only the token goes to stdout, so that `> token` does what it says.
  process.stdout.write(`${textField(answer, 'token')}\n`);
  process.stderr.write(
    `Valid once, for ${String(body.kind)} ${String(body.name)}, until ${textField(answer, 'expiresAt')}. It is not shown again.\n`,
  );
  return EXIT_OK;
}

export function enrollmentRequest(args: Arguments): Readonly<Record<string, unknown>> {
  const kind = args.text('kind') ?? 'worker';
  if (kind !== 'worker' && kind !== 'gateway') {
    throw new UsageError(`--kind is worker or gateway, not '${kind}'`);
  }
  for (const flag of kind === 'worker' ? ['dns-name', 'ip-address', 'tunnel-address'] : ['pool', 'label']) {
    if (args.on(flag)) {
      throw new UsageError(`--${flag} is not for a ${kind}`);
    }
  }
  const name = requireName('name', args.text('name'));
  const pool = args.text('pool');
  const ttl = args.text('ttl');
  const labels = args.list('label').map(parseLabel);
  return {
    kind,
    name,
    ...(pool === undefined ? {} : { pool: requireName('pool', pool) }),
    ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
    ...(args.on('dns-name') ? { dnsNames: args.list('dns-name') } : {}),
    ...(args.on('ip-address') ? { ipAddresses: args.list('ip-address') } : {}),
    ...(args.on('tunnel-address') ? { tunnelAddress: args.text('tunnel-address') } : {}),
    ...(ttl === undefined ? {} : { ttlS: parseTtl(ttl) }),
  };
}

function requireName(flag: string, name: string | undefined): string {
  if (name === undefined) {
    throw new UsageError(`--${flag} is needed: --${flag} NAME`);
  }
  if (!isResourceName(name)) {
    throw new UsageError(`--${flag} takes lower-case letters, digits and hyphens, at most 63 characters, not '${name}'`);
  }
  return name;
}

function parseLabel(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new UsageError(`--label takes KEY=VALUE, not '${text}'`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function parseTtl(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,7})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(amount) * (UNIT_S[unit] ?? Number.NaN);
  if (!(seconds > 0)) {
    throw new UsageError(`--ttl takes a time such as 30m, 1h or 600s, not '${text}'`);
  }
  return seconds;
}

function help(): string {
  return renderHelp({
    usage: 'jetbridge enroll-token create --name NAME [FLAGS]',
    about: 'Creates the one-time secret that lets one worker or gateway get its first credential, and prints it.',
    flags: FLAGS,
    examples: [
      'jetbridge enroll-token create --name berlin-1 > token',
      'jetbridge enroll-token create --name berlin-2 --pool berlin --label site=berlin --ttl 30m',
      'jetbridge enroll-token create --name edge-1 --kind gateway --dns-name edge-1.example.com',
      '',
      'jetbridge worker --control-url https://jetbridge.example.com:8443 \\',
      '  --enroll-token-file token --data-dir /var/lib/jetbridge',
    ],
  });
}
