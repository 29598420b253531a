import { decodeFlightInfo, encodeFlightDescriptor, encodeTicket } from '@jetbridge/proto/flight';
import { encodeCommand } from '@jetbridge/proto/flight-sql';
import { frameMessage, MessageSplitter } from '@jetbridge/proto/grpc-frame';
import {
  GATEWAY_HEADER,
  isJetbridgeHeader,
  PRINCIPAL_HEADER,
  PRINCIPAL_NAME_HEADER,
  ROLES_HEADER,
  SESSION_HEADER,
  STATEMENT_HEADER,
} from '@jetbridge/proto/headers';
import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import { basicOf, callFlight, connectRaw } from '../harness/flight-call.ts';
import { only } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(180_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

// Were these believed, every connection below would be one session of one stranger.
const FORGED = {
  [PRINCIPAL_HEADER]: newId('prn'),
  [PRINCIPAL_NAME_HEADER]: 'somebody-else',
  [ROLES_HEADER]: '',
  [SESSION_HEADER]: newId('ses'),
  [GATEWAY_HEADER]: newId('gtw'),
  [STATEMENT_HEADER]: newId('stm'),
  'x-jetbridge-anything-new': 'x',
};

t.test('a session header from a client joins no sessions', { skip: skipClient('adbc') }, async (t) => {
  for (const name of ['adbc', 'flight', 'go'] as const) {
    t.test(name, { skip: skipClient(name) }, async (t) => {
      const [first, second] = await Promise.all([startClient(t, name), startClient(t, name)]);
      const login = { ...mesh.login(), headers: FORGED };
      const owner = first.start({
        ...login,
        steps: [
          { action: 'update', sql: 'CREATE TEMP TABLE mine AS SELECT 42 AS a' },
          { action: 'query', sql: 'SELECT a FROM mine' },
          { action: 'wait' },
          { action: 'query', sql: 'SELECT a FROM mine' },
        ],
      });
      await owner.event('paused');
      const stranger = only(await second.run({ ...login, steps: [{ action: 'query', sql: 'SELECT a FROM mine' }] }));
      owner.resume();
      const { steps } = await owner.done;
      t.same([steps[1]?.rows, steps[3]?.rows], [[['42']], [['42']]], JSON.stringify(steps));
      t.equal(stranger.ok, false, 'the other connection must not see the temporary table');
    });
  }
});

t.test('nothing the worker tells the gateway reaches a client', async (t) => {
  const session = connectRaw(t, mesh);
  const headers = { authorization: basicOf(mesh), ...FORGED };
  const command = encodeCommand({ kind: 'statement_query', query: 'SELECT 42 AS a' });
  const descriptor = encodeFlightDescriptor({ type: 'CMD', cmd: command, path: [] });
  const described = await callFlight(session, 'GetFlightInfo', frameMessage(descriptor), headers);
  t.equal(described.trailers['grpc-status'], '0', JSON.stringify(described.trailers));
  const [message = Buffer.alloc(0)] = new MessageSplitter(1_000_000).push(described.body);
  const ticket = decodeFlightInfo(message).endpoint[0]?.ticket;
  const rows = await callFlight(session, 'DoGet', frameMessage(encodeTicket(ticket ?? { ticket: Buffer.alloc(0) })), headers);
  t.equal(rows.trailers['grpc-status'], '0', JSON.stringify(rows.trailers));
  for (const answer of [described, rows]) {
    const ours = [...Object.keys(answer.headers), ...Object.keys(answer.trailers)].filter(isJetbridgeHeader);
    t.same(ours, []);
  }
});
