import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { plantRepository, REPOSITORY } from './planted-repository.ts';

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** [rule, importing file, what it imports]; the imported file is planted, too. */
const FORBIDDEN: readonly (readonly [rule: string, file: string, specifier: string])[] = [
  ['proto-imports-nothing-of-ours', 'proto/src/planted.ts', '@jetbridge/pki/trust/planted'],
  ['pki-imports-proto-only', 'pki/src/planted.ts', '@jetbridge/gateway/planted'],
  ['gateway-imports-proto-and-pki-only', 'gateway/src/planted-1.ts', '@jetbridge/worker/planted'],
  ['gateway-imports-proto-and-pki-only', 'gateway/src/planted-2.ts', '@jetbridge/control-api/planted'],
  ['worker-imports-proto-and-pki-only', 'worker/src/planted-1.ts', '@jetbridge/gateway/planted'],
  ['control-api-imports-proto-and-pki-only', 'control-api/src/planted-1.ts', '@jetbridge/worker/planted'],
  ['nobody-imports-cli-bench-test', 'gateway/src/planted-3.ts', '@jetbridge/cli/planted'],
  ['nobody-imports-cli-bench-test', 'worker/src/planted-2.ts', '../../test/harness/planted.ts'],
  ['nobody-imports-cli-bench-test', 'control-api/src/planted-2.ts', '../../bench/planted.ts'],
  ['cli-imports-no-bench-or-test', 'cli/src/planted.ts', '../../test/harness/planted.ts'],
  ['only-pki-credential-and-trust', 'gateway/src/planted-4.ts', '@jetbridge/pki/authority/planted'],
  ['only-pki-credential-and-trust', 'worker/src/planted-3.ts', '@jetbridge/pki/authority/planted'],
  ['only-pki-credential-and-trust', 'worker/src/planted-4.ts', '@jetbridge/pki/x509-planted'],
  ['pki-has-three-doors', 'control-api/src/planted-14.ts', '@jetbridge/pki/x509-planted'],
  ['control-plane-reads-no-rows', 'control-api/src/planted-3.ts', '@jetbridge/proto/flight'],
  ['control-plane-reads-no-rows', 'control-api/src/planted-4.ts', '@jetbridge/proto/flight-sql-action'],
  ['control-plane-reads-no-rows', 'control-api/src/planted-5.ts', '@jetbridge/proto/tunnel'],
  ['control-plane-reads-no-rows', 'control-api/src/planted-6.ts', '@jetbridge/proto/handle'],
  ['control-plane-has-no-engine', 'control-api/src/planted-7.ts', 'apache-arrow'],
  ['control-plane-has-no-engine', 'control-api/src/planted-8.ts', '@duckdb/node-api'],
  ['control-plane-has-no-engine', 'control-api/src/planted-9.ts', 'koffi'],
  ['no-relative-path-into-another-package', 'gateway/src/planted-5.ts', '../../proto/src/ids.ts'],
  ['gateway-tunnel-is-the-bottom', 'gateway/src/tunnel/planted-1.ts', '../routing/planted.ts'],
  ['gateway-tunnel-is-the-bottom', 'gateway/src/tunnel/planted-2.ts', '../flight/planted.ts'],
  ['gateway-routing-looks-down', 'gateway/src/routing/planted-1.ts', '../statement/planted.ts'],
  ['gateway-routing-looks-down', 'gateway/src/routing/planted-2.ts', '../flight/planted.ts'],
  ['gateway-statement-looks-down', 'gateway/src/statement/planted-1.ts', '../flight/planted.ts'],
  ['control-api-store-is-the-bottom', 'control-api/src/auth/store.ts', './planted-rules.ts'],
  ['control-api-rules-look-down', 'control-api/src/audit/rules.ts', './planted-routes.ts'],
  ['only-app-constructs-implementations', 'gateway/src/flight/planted-1.ts', '../presence/redis-presence.ts'],
  ['only-app-constructs-implementations', 'gateway/src/tunnel/planted-3.ts', '../presence/memory-presence.ts'],
  ['only-app-constructs-implementations', 'gateway/src/flight/planted-2.ts', '../control/http-control.ts'],
  ['only-app-constructs-implementations', 'worker/src/query/planted-1.ts', '../engine/duckdb-engine.ts'],
  ['nobody-imports-main', 'gateway/src/planted-6.ts', './main.ts'],
  ['production-imports-no-test-code', 'worker/src/planted-5.ts', './testing/planted.ts'],
  ['production-imports-no-test-code', 'pki/src/trust/planted-1.ts', '../fixture.ts'],
  ['node-forge-only-in-x509', 'pki/src/authority/planted-1.ts', 'node-forge'],
  ['redis-only-in-redis-files', 'gateway/src/presence/planted.ts', 'ioredis'],
  ['ffi-only-in-engine', 'worker/src/query/planted-2.ts', 'koffi'],
  ['duckdb-only-in-engine', 'worker/src/query/planted-3.ts', '@duckdb/node-api'],
  ['no-unresolvable-imports', 'worker/src/planted-6.ts', './nowhere.ts'],
];

/** What must stay possible. */
const ALLOWED: readonly (readonly [file: string, specifier: string])[] = [
  ['pki/src/planted-0.ts', '@jetbridge/proto/ids'],
  ['pki/src/x509-planted.ts', 'node-forge'],
  ['gateway/src/planted-0.ts', '@jetbridge/proto/tunnel'],
  ['gateway/src/tunnel/planted-0.ts', '@jetbridge/pki/trust/planted'],
  ['gateway/src/tunnel/planted.test.ts', '@jetbridge/pki/authority/planted'],
  ['gateway/src/flight/planted-0.ts', '../tunnel/planted-0.ts'],
  ['gateway/src/app.ts', './presence/redis-presence.ts'],
  ['gateway/src/presence/redis-presence.ts', 'ioredis'],
  ['gateway/src/presence/presence.test.ts', './memory-presence.ts'],
  ['worker/src/engine/planted-0.ts', 'koffi'],
  ['worker/src/engine/planted-1.ts', '@duckdb/node-api'],
  ['worker/src/query/planted-0.ts', '../engine/engine.ts'],
  ['worker/src/planted-0.test.ts', './testing/planted.ts'],
  ['control-api/src/planted-0.ts', '@jetbridge/pki/authority/planted'],
  ['control-api/src/auth/planted-routes.ts', './store.ts'],
  ['cli/src/planted-0.ts', '@jetbridge/gateway/main'],
  ['test/harness/planted-0.ts', '@jetbridge/cli/planted'],
];

const require = createRequire(import.meta.url);
const EVERY_RULE: readonly string[] = require(join(REPOSITORY, '.dependency-cruiser.cjs')).forbidden.map(
  (rule: { readonly name: string }) => rule.name,
);

/** The file a specifier of ours means; undefined for packages and for what is meant to be missing. */
function fileOf(importer: string, specifier: string): string | undefined {
  const ours = /^@jetbridge\/([^/]+)\/(.+)$/.exec(specifier);
  if (ours !== null) {
    return `${ours[1]}/src/${ours[2]}.ts`;
  }
  const isFile = specifier.startsWith('.') && !specifier.includes('nowhere');
  return isFile ? join(dirname(importer), specifier) : undefined;
}

t.test('every rule is broken once and reported, and nothing else is', async (t) => {
  await using repository = await plantRepository();
  const importers = new Map<string, string>([
    ['worker/src/circle-1.ts', './circle-2.ts'],
    ['worker/src/circle-2.ts', './circle-1.ts'],
    ...FORBIDDEN.map(([, file, specifier]) => [file, specifier] as const),
    ...ALLOWED,
  ]);
  for (const [file, specifier] of importers) {
    const imported = fileOf(file, specifier);
    if (imported !== undefined && !importers.has(imported)) {
      await repository.plant(imported, 'export const planted = 1;\n');
    }
  }
  for (const [file, specifier] of importers) {
    await repository.plant(file, `import '${specifier}';\nexport const planted = 1;\n`);
  }

  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', '.'];
  const report = JSON.parse(await repository.run('dependency-cruiser/bin/dependency-cruiser.mjs', args));
  const violations: readonly Violation[] = report.summary.violations;
  const found = new Set(violations.map((violation) => `${violation.rule.name}: ${violation.from}`));
  const planted = new Set(FORBIDDEN.map(([rule, file]) => `${rule}: ${file}`));

  for (const expected of planted) {
    t.ok(found.has(expected), expected);
  }
  t.ok(violations.some(({ rule, from }) => rule.name === 'no-circular-dependencies' && from.startsWith('worker/src/circle-')));
  const allowed = new Set(ALLOWED.map(([file]) => file));
  t.same(
    violations.filter(({ from }) => allowed.has(from)).map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    [],
    'what is allowed is not reported',
  );
  t.same(
    EVERY_RULE.filter((name) => !violations.some(({ rule }) => rule.name === name)),
    [],
    'no rule is left unproven',
  );
});
