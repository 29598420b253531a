import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import { jetbridgeCommand, runToEnd } from '../harness/command.ts';
import { installed } from '../harness/installed.ts';
import { only } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';

t.setTimeout(240_000);

// What a newcomer gets: no flags but those that keep meshes apart, and the generated sample.
const mesh = await startMesh(t);
const banner = await mesh.stdoutWith('Ctrl-C');

/** The text between a printed heading and the next one. */
function printed(heading: string): string {
  const from = banner.indexOf(`\n# ${heading}`);
  const body = banner.slice(banner.indexOf('\n', from + 1) + 1);
  const to = body.indexOf('\n# ');
  return (to < 0 ? body : body.slice(0, to)).trim();
}

t.test('the banner names every address, the password once, and the CA file', async (t) => {
  const { flightUri, apiUrl, caFile, password } = mesh.ready;
  for (const text of [flightUri, apiUrl, caFile, password]) {
    t.ok(banner.includes(text), text);
  }
});

t.test('the Python snippet works as it stands', { skip: skipClient('adbc') }, async (t) => {
  const { code, stdout, stderr } = await runToEnd({ program: installed('python', 'python'), args: ['-c', printed('Python')] });
  t.equal(code, 0, `${printed('Python')}\n${stderr}`);
  t.match(stdout, /pyarrow\.Table/);
});

t.test('the JDBC URL works as it stands', { skip: skipClient('jdbc') }, async (t) => {
  const uri = printed('JDBC').split('\n')[0] ?? '';
  t.match(uri, /^jdbc:arrow-flight-sql:/);
  const client = await startClient(t, 'jdbc');
  const outcome = only(await client.run({ uri, steps: [{ action: 'query', sql: 'SELECT 42 AS a' }] }));
  t.same(outcome.rows, [['42']], JSON.stringify(outcome.error));
});

t.test('the shell command works as it stands', async (t) => {
  const line = printed('SQL prompt').split('\n')[0] ?? '';
  t.match(line, /^npx jetbridge sql/);
  const { code, stdout, stderr } = await runToEnd({ program: 'sh', args: ['-c', line] }, { input: 'SELECT 42 AS answer;\n' });
  t.equal(code, 0, stderr);
  t.match(stdout, /answer\s+42/);
});

t.test('the sample is TPC-H shaped and large enough to feel', async (t) => {
  const flags = ['--uri', mesh.ready.flightUri, '--ca', mesh.ready.caFile, '--format', 'csv'];
  const sql = 'SELECT count(*) >= 1000000 AS large, count(DISTINCT l_returnflag) > 1 AS varied FROM lineitem';
  const command = jetbridgeCommand('sql', ...flags, '-c', sql);
  const { stdout, stderr } = await runToEnd(command, { environment: { JETBRIDGE_PASSWORD: mesh.ready.password } });
  t.match(stdout, /true,true/, stderr);
});

t.test('help reads well for every command', async (t) => {
  for (const words of [[], ['start'], ['sql'], ['workers', 'list'], ['enroll-token', 'create'], ['worker'], ['gateway'], ['control-api']]) {
    const { code, stdout, stderr } = await runToEnd(jetbridgeCommand(...words, '--help'));
    t.equal(code, 0, words.join(' '));
    t.match(stdout, /^Usage: jetbridge/m, words.join(' '));
    t.equal(stderr, '');
  }
});
