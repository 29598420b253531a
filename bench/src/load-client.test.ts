import t from 'tap';
import { startLoadClient } from './load-client.ts';

const PROGRAM = `
console.log(JSON.stringify({ ready: true }));
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, op, args } = JSON.parse(line);
  if (op === 'die') { console.error('no memory'); process.exit(3); }
  console.log(JSON.stringify(op === 'echo' ? { id, result: args } : { id, error: 'unknown: ' + op }));
});`;

const program = { program: process.execPath, args: ['-e', PROGRAM] };

t.test('answers come to whoever asked, failures too', async (t) => {
  const client = await startLoadClient(program);
  t.teardown(() => client.close());
  t.ok(client.pid > 0);
  const [one, other] = await Promise.all([client.ask('echo', { a: 1 }), client.ask('echo', { a: 2 })]);
  t.same([one, other], [{ a: 1 }, { a: 2 }]);
  await t.rejects(client.ask('fly', {}), /unknown: fly/);
});

t.test('a client that ends rejects what was asked, with its complaint', async (t) => {
  const client = await startLoadClient(program);
  await t.rejects(client.ask('die', {}), /ended: no memory/);
  await t.rejects(client.ask('echo', {}), /ended/);
  await client.close();
});

t.test('a client that cannot start says so', async (t) => {
  await t.rejects(startLoadClient({ program: process.execPath, args: ['-e', 'throw new Error("no library")'] }), /no library/);
  await t.rejects(startLoadClient({ program: '/nonexistent', args: [] }));
});
