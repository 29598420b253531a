import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { StatusError } from '@jetbridge/proto/status-error';
import t, { type Test } from 'tap';
import { type FakeAnswer, numbersTable, startFakeFlightServer } from '../testing/fake-flight-server.ts';
import { FlightClient } from './flight-client.ts';
import { StreamOutput } from './output.ts';
import { runShell } from './shell.ts';

/** A terminal that remembers what it showed and tells when something appears. */
class FakeScreen extends Writable {
  readonly isTTY = true;
  readonly columns = 200;
  text = '';
  #seen = 0;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.emit('shown');
    done();
  }

  /** Waits for a pattern in what was shown since the last wait. */
  async expect(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text.slice(this.#seen))) {
      await once(this, 'shown');
    }
    this.#seen = this.text.length;
  }
}

const PROMPT = /jetbridge> /;

function answers(sql: string): FakeAnswer {
  if (sql.startsWith('FAIL')) {
    return { kind: 'error', error: new StatusError('invalid_argument', `no such thing in: ${sql}`) };
  }
  if (sql.startsWith('UPDATE')) {
    return { kind: 'changed', rows: 3 };
  }
  return { kind: sql.startsWith('ENDLESS') ? 'endless' : 'table', table: numbersTable(sql.startsWith('ENDLESS') ? 5000 : 2) };
}

async function open(test: Test) {
  const server = await startFakeFlightServer(answers);
  const client = new FlightClient({ uri: server.uri, caPem: undefined }, { kind: 'password', username: 'tester', password: 'secret' });
  const input = new PassThrough();
  const screen = new FakeScreen();
  const historyFile = join(test.testdir(), 'state', 'history');
  const left = runShell({
    client,
    screen: { output: new StreamOutput(screen), messages: screen, display: { format: 'table', maxRows: 0 } },
    historyFile,
    input: input as never,
    terminal: screen as never,
  });
  test.teardown(async () => {
    input.end();
    await left;
    await client.close();
    await server.close();
  });
  return { server, input, screen, historyFile, left };
}

t.test('statements over several lines, errors, updates, leaving', async (t) => {
  const { server, input, screen, historyFile, left } = await open(t);
  await screen.expect(PROMPT);
  input.write("SELECT 'a;\n");
  await screen.expect(/\.\.\.> /);
  input.write("b';\n");
  await screen.expect(/ i\r?\n---\r?\n 0\r?\n 1\r?\n\(2 rows, [\d.]+ s\).*jetbridge> /s);
  t.strictSame(server.statements, ["SELECT 'a;\nb'"]);
  input.write('FAIL here; SELECT never;\n');
  await screen.expect(/error: no such thing in: FAIL here.*jetbridge> /s);
  t.equal(server.statements.length, 2);
  input.write('UPDATE x;\n');
  await screen.expect(/\(3 rows changed, /);
  input.write('.mode csv\n');
  await screen.expect(/mode: csv/);
  input.write('SELECT 1;\n');
  await screen.expect(/i\n0\n1\n/);
  input.write('.tabels\n');
  await screen.expect(/error: there is no command \.tabels; did you mean \.tables\?/);
  input.write('.quit\n');
  await left;
  t.match(await readFile(historyFile, 'utf8'), "SELECT 'a;\nb';\nFAIL here; SELECT never;\n");
  t.equal((await stat(historyFile)).mode & 0o777, 0o600);
});

t.test('Ctrl-C cancels the statement and the shell goes on; at the prompt it clears', async (t) => {
  const { server, input, screen } = await open(t);
  await screen.expect(PROMPT);
  input.write('ENDLESS;\n');
  await screen.expect(/ 4999/);
  input.write('\u0003');
  await screen.expect(/error: the statement was cancelled.*jetbridge> /s);
  await server.cancelled;
  input.write('half\n');
  await screen.expect(/\.\.\.> /);
  input.write('\u0003');
  await screen.expect(PROMPT);
  input.write('SELECT whole;\n');
  await screen.expect(/\(2 rows/);
  t.strictSame(server.statements, ['ENDLESS', 'SELECT whole']);
});

t.test('Ctrl-D leaves', async (t) => {
  const { input, screen, left } = await open(t);
  await screen.expect(PROMPT);
  input.write('\u0004');
  await left;
});
