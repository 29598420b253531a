import t from 'tap';
import { statusOf } from '../testing/ask.ts';
import { actionRequest, doGetRequest, handleOf } from '../testing/flight-messages.ts';
import { type Answer, answer, answered, call, closed, type Mesh, startMesh } from '../testing/mesh.ts';
import { streamsOf } from '../testing/streams.ts';

function ask(client: ReturnType<Mesh['connectClient']>, method: string, body: Buffer): Promise<Answer> {
  const stream = call(client, method);
  stream.end(body);
  return answered(stream);
}

t.test('a close is answered at once and reaches its worker before anything that follows', async (t) => {
  const mesh = await startMesh(t);
  const worker = streamsOf();
  const { workerId } = await mesh.startWorker({ serve: worker.serve });
  const client = mesh.connectClient();
  const handle = handleOf(workerId);
  t.equal(statusOf(await ask(client, 'DoAction', actionRequest({ kind: 'close_prepared_statement', handle }))), '0');
  const next = ask(client, 'DoGet', doGetRequest(handle));
  const close = await worker.next();
  t.match(close.headers[':path'], /DoAction$/);
  t.equal(close.headers['x-jetbridge-principal'], mesh.control.principal.id);
  const after = await worker.next();
  t.match(after.headers[':path'], /DoGet$/);
  t.equal(close.headers['x-jetbridge-session'], after.headers['x-jetbridge-session']);
  answer(close.stream, []);
  answer(after.stream, []);
  t.equal(statusOf(await next), '0');
});

t.test('as many as may be under way; the next one waits for its worker, and hears what it says', async (t) => {
  const mesh = await startMesh(t, { closesForwarded: 1 });
  const worker = streamsOf();
  const { workerId } = await mesh.startWorker({ serve: worker.serve });
  const client = mesh.connectClient();
  const body = actionRequest({ kind: 'close_prepared_statement', handle: handleOf(workerId) });
  t.equal(statusOf(await ask(client, 'DoAction', body)), '0');
  const first = await worker.next();
  const waiting = ask(client, 'DoAction', body);
  answer((await worker.next()).stream, [], { 'grpc-status': '3' });
  t.equal(statusOf(await waiting), '3');
  answer(first.stream, [], { 'grpc-status': '13', 'grpc-message': 'why%20not' });
  await closed(first.stream);
  t.equal(statusOf(await ask(client, 'DoAction', body)), '0', 'there is room again');
  t.match(
    mesh.logs.filter(({ msg }) => msg === 'prepared statement not closed by its worker'),
    [{ level: 40, status: '13', reason: 'why not', tunnelLost: false }],
    'told once',
  );
  answer((await worker.next()).stream, []);
});

t.test('a close that names no worker gets its answer from one', async (t) => {
  const mesh = await startMesh(t);
  const worker = streamsOf();
  await mesh.startWorker({ serve: worker.serve });
  const body = actionRequest({ kind: 'close_prepared_statement', handle: Buffer.from('nonsense') });
  const reply = ask(mesh.connectClient(), 'DoAction', body);
  answer((await worker.next()).stream, [], { 'grpc-status': '3' });
  t.equal(statusOf(await reply), '3');
});
