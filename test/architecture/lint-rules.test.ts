import t from 'tap';
import { plantRepository } from './planted-repository.ts';

/** [rule, file, source]: each must be reported by Biome under exactly this rule. */
const BIOME: readonly (readonly [rule: string, file: string, source: string])[] = [
  ['lint/style/noProcessEnv', 'gateway/src/planted-1.ts', 'export const home = process.env.HOME;\n'],
  ['lint/style/noProcessEnv', 'worker/src/engine/planted-1.ts', "import { env } from 'node:process';\n\nexport const home = env.HOME;\n"],
  ['lint/suspicious/noExplicitAny', 'proto/src/planted-1.ts', 'export const planted: any = 1;\n'],
  ['lint/style/noDefaultExport', 'proto/src/planted-2.ts', 'export default 1;\n'],
  ['lint/performance/noBarrelFile', 'proto/src/planted-3.ts', "export { newId } from './ids.ts';\n"],
  ['lint/performance/noReExportAll', 'proto/src/planted-4.ts', "export * from './ids.ts';\n"],
  ['lint/style/noEnum', 'proto/src/planted-5.ts', 'export enum Planted {\n  One = 1,\n}\n'],
  ['lint/correctness/noUndeclaredDependencies', 'gateway/src/planted-2.ts', "import 'koffi';\n"],
  ['lint/style/useFilenamingConvention', 'proto/src/PlantedFile.ts', 'export const planted = 1;\n'],
  ['lint/style/noExcessiveLinesPerFile', 'proto/src/planted-6.ts', 'export {};\n'.repeat(301)],
];

t.test('Biome reports what the rules of the code forbid', async (t) => {
  await using repository = await plantRepository();
  await repository.plant('gateway/src/config.ts', 'export const home = process.env.HOME;\n');
  for (const [, file, source] of BIOME) {
    await repository.plant(file, source);
  }
  const output = await repository.run('@biomejs/biome/bin/biome', ['lint', '--reporter=json', '--max-diagnostics=none', '.']);
  const { diagnostics } = JSON.parse(output) as { diagnostics: readonly { category: string; location: { path: string } }[] };
  const found = new Set(diagnostics.map(({ category, location }) => `${category}: ${location.path}`));
  for (const [rule, file] of BIOME) {
    t.ok(found.has(`${rule}: ${file}`), `${rule}: ${file}`);
  }
  t.notOk(found.has('lint/style/noProcessEnv: gateway/src/config.ts'), 'config.ts may read the environment');
});

t.test('ESLint reports promises that nobody waits for', async (t) => {
  await using repository = await plantRepository();
  const file = 'proto/src/planted.ts';
  const source = [
    'async function work(): Promise<void> {}',
    'work();',
    'await 1;',
    'process.on("exit", async () => {});',
    'if (work()) {',
    '  await work();',
    '}',
  ];
  await repository.plant(file, `${source.join('\n')}\nexport {};\n`);
  const output = await repository.run('eslint/bin/eslint.js', ['--format=json', file]);
  const [report] = JSON.parse(output) as readonly { messages: readonly { ruleId: string; line: number }[] }[];
  t.strictSame(
    report?.messages.map(({ ruleId, line }) => [ruleId.replace('@typescript-eslint/', ''), line]),
    [
      ['no-floating-promises', 2],
      ['await-thenable', 3],
      ['no-misused-promises', 4],
      ['no-misused-promises', 5],
    ],
  );
});
