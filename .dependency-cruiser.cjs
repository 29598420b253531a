// The dependency rules of the architecture. test/architecture/dependency-rules.test.ts plants a violation of each.

// Tests and what only they use may reach for what the code beside them may not: an authority to issue certificates, a fake to construct.
const TEST_CODE = '(\\.test\\.ts$|/testing/|/fixture\\.ts$|\\.fixture\\.ts$)';
const COMPOSITION = '/src/(app|main)\\.ts$';

/** A rule that forbids dependencies. `path` and `pathNot` are regular expressions over paths from the repository's root. */
function forbid(name, comment, from, to) {
  return { name, comment, severity: 'error', from, to };
}

const betweenPackages = [
  forbid('proto-imports-nothing-of-ours', 'proto is what all others stand on', { path: '^proto/' }, { path: '^(?!proto/)[^/]+/src/' }),
  forbid('pki-imports-proto-only', 'pki knows no process', { path: '^pki/' }, { path: '^(?!(pki|proto)/)[^/]+/src/' }),
  forbid(
    'gateway-imports-proto-and-pki-only',
    'processes share contracts, not code',
    { path: '^gateway/' },
    { path: '^(?!(gateway|proto|pki)/)[^/]+/src/' },
  ),
  forbid(
    'worker-imports-proto-and-pki-only',
    'processes share contracts, not code',
    { path: '^worker/' },
    { path: '^(?!(worker|proto|pki)/)[^/]+/src/' },
  ),
  forbid(
    'control-api-imports-proto-and-pki-only',
    'processes share contracts, not code',
    { path: '^control-api/' },
    { path: '^(?!(control-api|proto|pki)/)[^/]+/src/' },
  ),
  forbid(
    'nobody-imports-cli-bench-test',
    'they compose and exercise the others',
    { path: '^(proto|pki|gateway|worker|control-api)/' },
    { path: '^(cli|bench|test)/' },
  ),
  forbid('cli-imports-no-bench-or-test', 'the product does not need its tests', { path: '^cli/' }, { path: '^(bench|test)/' }),
  forbid(
    'only-pki-credential-and-trust',
    'a gateway or a worker must have no way to sign: it uses the doors credential and trust, never the authority or the x509 files',
    { path: '^(gateway|worker)/', pathNot: TEST_CODE },
    { path: '^pki/', pathNot: '^pki/src/(credential|trust)/' },
  ),
  forbid(
    'pki-has-three-doors',
    'certificates are read and written behind authority, credential and trust',
    { path: '^control-api/', pathNot: TEST_CODE },
    { path: '^pki/', pathNot: '^pki/src/(authority|credential|trust)/' },
  ),
  forbid(
    'control-plane-reads-no-rows',
    'the control plane never sees a row: no Flight, tunnel or handle format',
    { path: '^control-api/' },
    { path: '^proto/src/(flight|tunnel|handle|ticket|grpc-frame|message-)' },
  ),
  forbid(
    'control-plane-has-no-engine',
    'the control plane never sees a row: no Arrow and no engine',
    { path: '^control-api/' },
    { path: '(^|/)node_modules/(apache-arrow|flatbuffers|@duckdb|koffi)/' },
  ),
  forbid(
    'no-relative-path-into-another-package',
    'other packages are imported by name, so that their manifest says so',
    { path: '^([^/]+)/' },
    { path: '^[^/]+/src/', pathNot: '^$1/', dependencyTypes: ['local'], dependencyTypesNot: ['aliased'] },
  ),
];

const insidePackages = [
  forbid(
    'gateway-tunnel-is-the-bottom',
    'flight → statement → routing → tunnel',
    { path: '^gateway/src/tunnel/', pathNot: TEST_CODE },
    { path: '^gateway/src/(flight|statement|routing)/' },
  ),
  forbid(
    'gateway-routing-looks-down',
    'flight → statement → routing → tunnel',
    { path: '^gateway/src/routing/', pathNot: TEST_CODE },
    { path: '^gateway/src/(flight|statement)/' },
  ),
  forbid(
    'gateway-statement-looks-down',
    'flight → statement → routing → tunnel',
    { path: '^gateway/src/statement/', pathNot: TEST_CODE },
    { path: '^gateway/src/flight/' },
  ),
  forbid(
    'control-api-store-is-the-bottom',
    'routes → rules → store',
    { path: '^control-api/src/.*store\\.ts$' },
    { path: '^control-api/src/.*(routes|rules)\\.ts$' },
  ),
  forbid(
    'control-api-rules-look-down',
    'routes → rules → store',
    { path: '^control-api/src/.*rules\\.ts$' },
    { path: '^control-api/src/.*routes\\.ts$' },
  ),
  forbid(
    'only-app-constructs-implementations',
    'others take the interface; an implementation may be made of files of its own folder',
    { path: '^(gateway|worker)/src/', pathNot: `${TEST_CODE}|${COMPOSITION}|^gateway/src/(presence|control)/|^worker/src/engine/` },
    { path: '^gateway/src/(presence|control)/(redis|memory|http)-|^worker/src/engine/(duckdb|memory|upstream)' },
  ),
  forbid(
    'nobody-imports-main',
    'main starts a process when it is loaded; only the command line may',
    { path: '^(?!cli/)[^/]+/' },
    { path: '^(gateway|worker|control-api)/src/main\\.ts$' },
  ),
  forbid(
    'production-imports-no-test-code',
    'fakes and fixtures stay out of the product',
    { pathNot: `${TEST_CODE}|^test/` },
    { path: TEST_CODE },
  ),
];

const libraries = [
  forbid(
    'node-forge-only-in-x509',
    'one place touches the certificate library',
    { pathNot: '^pki/src/x509[^/]*\\.ts$|^node_modules/' },
    { path: '(^|/)node_modules/(@types/)?node-forge/' },
  ),
  forbid(
    'redis-only-in-redis-files',
    'Redis stays behind interfaces',
    { pathNot: `(^|/)redis-[^/]+\\.ts$|^node_modules/|${TEST_CODE}` },
    { path: '(^|/)node_modules/ioredis/' },
  ),
  forbid(
    'ffi-only-in-engine',
    'memory safety ends here',
    { pathNot: '^worker/src/engine/|^node_modules/' },
    { path: '(^|/)node_modules/koffi/' },
  ),
  forbid(
    'duckdb-only-in-engine',
    'the rest of the worker knows the Engine interface',
    { path: '^worker/', pathNot: '^worker/src/engine/' },
    { path: '(^|/)node_modules/@duckdb/' },
  ),
];

const everywhere = [
  forbid('no-circular-dependencies', 'what depends on each other is one thing', {}, { circular: true }),
  forbid('no-unresolvable-imports', 'this file or package does not exist', { pathNot: '^node_modules/' }, { couldNotResolve: true }),
];

module.exports = {
  forbidden: [...betweenPackages, ...insidePackages, ...libraries, ...everywhere],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '(^|/)(dist|\\.tap|\\.clients|\\.tools|\\.data|jetbridge-data)/' },
    // Type imports are dependencies, too.
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['jetbridge', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
      mainFields: ['main', 'types'],
    },
  },
};
