import { encodeAction, encodeFlightData, encodeFlightDescriptor, encodeTicket, FLIGHT_SERVICE_PATH } from '@jetbridge/proto/flight';
import { encodeCommand } from '@jetbridge/proto/flight-sql';
import { encodeFlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { sealHandle } from '@jetbridge/proto/handle';
import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import type { Pool } from '../tunnel/tunnels.ts';
import { callTarget } from './call-target.ts';
import { choosePool } from './choose-pool.ts';
import { type FlightMethod, flightMethodOf } from './flight-method.ts';
import { rendezvous } from './rendezvous.ts';

function method(name: string): FlightMethod {
  const found = flightMethodOf(FLIGHT_SERVICE_PATH + name);
  if (found === undefined) {
    throw new Error(name);
  }
  return found;
}

t.test('rendezvous', async (t) => {
  const workers = Array.from({ length: 5 }, () => newId('wkr'));
  const sessions = Array.from({ length: 2_000 }, () => newId('ses'));
  const chosen = sessions.map((session) => rendezvous(session, workers));
  await t.test('does not depend on the order of the candidates', async (t) => {
    t.same(
      sessions.map((session) => rendezvous(session, workers.toReversed())),
      chosen,
    );
  });
  await t.test('spreads evenly', async (t) => {
    for (const worker of workers) {
      const share = chosen.filter((candidate) => candidate === worker).length / sessions.length;
      t.ok(share > 0.15 && share < 0.25, `${share} of the sessions`);
    }
  });
  await t.test('moves only the sessions of a worker that left', async (t) => {
    const [left, ...rest] = workers;
    for (const [index, session] of sessions.entries()) {
      if (chosen[index] !== left) {
        t.equal(rendezvous(session, rest), chosen[index]);
      }
    }
  });
  t.equal(rendezvous('ses', []), undefined);
});

t.test('choosePool', async (t) => {
  const pool = (name: string, ...catalogs: string[]): [string, Pool] => [name, { name, workerIds: ['w'], catalogs: new Set(catalogs) }];
  const pools = new Map([pool('sales', 'crm', 'main'), pool('default', 'main')]);
  t.equal(choosePool(undefined, pools).name, 'default');
  t.equal(choosePool('crm', pools).name, 'sales');
  t.equal(choosePool('main', pools).name, 'default');
  t.throws(() => choosePool('x', pools), { code: 'not_found', message: /"x"; there are: "crm", "main"/ });
  t.throws(() => choosePool(undefined, new Map([pool('sales', 'crm')])), { code: 'unavailable', message: /pool "default"/ });
  t.throws(() => choosePool('crm', new Map()), { code: 'unavailable' });
  const many = new Map([pool('default', ...Array.from({ length: 30 }, (_, index) => `c${index}`))]);
  t.throws(() => choosePool('x', many), { message: /and 10 more/ });
});

t.test('callTarget', async (t) => {
  const workerId = newId('wkr');
  const handle = sealHandle(Buffer.alloc(32), workerId, Buffer.from('x'));
  const descriptor = (cmd: Buffer) => ({ type: 'CMD', cmd, path: [] }) as const;
  const prepared = encodeCommand({ kind: 'prepared_statement_query', handle });
  await t.test('finds the worker in a handle', async (t) => {
    const flightInfo = {
      schema: Buffer.alloc(0),
      endpoint: [{ ticket: { ticket: encodeCommand({ kind: 'ticket_statement_query', handle }) }, location: [] }],
      totalRecords: -1,
      totalBytes: -1,
    };
    const close = encodeFlightSqlAction({ kind: 'close_prepared_statement', handle });
    const cancel = encodeFlightSqlAction({ kind: 'cancel_flight_info', flightInfo });
    for (const [name, message] of [
      ['GetFlightInfo', encodeFlightDescriptor(descriptor(prepared))],
      ['PollFlightInfo', encodeFlightDescriptor(descriptor(prepared))],
      ['GetSchema', encodeFlightDescriptor(descriptor(prepared))],
      ['DoGet', encodeTicket({ ticket: encodeCommand({ kind: 'ticket_statement_query', handle }) })],
      ['DoAction', encodeAction(close)],
      ['DoAction', encodeAction({ ...close, body: Buffer.from(close.body) })],
      ['DoAction', encodeAction(cancel)],
      [
        'DoPut',
        encodeFlightData({
          descriptor: descriptor(encodeCommand({ kind: 'prepared_statement_update', handle })),
          dataHeader: Buffer.alloc(0),
          appMetadata: Buffer.alloc(0),
          dataBody: Buffer.alloc(100),
        }),
      ],
    ] as const) {
      t.equal(callTarget(method(name), message).workerId, workerId, name);
    }
  });
  await t.test('needs none for new work', async (t) => {
    const query = encodeCommand({ kind: 'statement_query', query: 'SELECT 1' });
    t.equal(callTarget(method('GetFlightInfo'), encodeFlightDescriptor(descriptor(query))).workerId, undefined);
    t.same(callTarget(method('DoAction'), encodeAction({ type: 'CloseSession', body: Buffer.alloc(0) })).action, 'CloseSession');
    t.equal(
      callTarget(method('GetFlightInfo'), encodeFlightDescriptor({ type: 'PATH', cmd: Buffer.alloc(0), path: ['a'] })).workerId,
      undefined,
    );
  });
  await t.test('leaves it to a worker to say what is wrong with the content', async (t) => {
    for (const cmd of [Buffer.alloc(0), Buffer.from('garbage'), Buffer.alloc(300, 255)]) {
      t.equal(callTarget(method('GetFlightInfo'), encodeFlightDescriptor(descriptor(cmd))).workerId, undefined);
      t.equal(callTarget(method('DoGet'), encodeTicket({ ticket: cmd })).workerId, undefined);
      t.equal(callTarget(method('DoAction'), encodeAction({ type: 'ClosePreparedStatement', body: cmd })).workerId, undefined);
    }
  });
  await t.test('refuses what is not the message of the call', async (t) => {
    t.throws(() => callTarget(method('DoGet'), Buffer.from([255])), { code: 'invalid_argument' });
  });
});

t.test('only the Flight service is relayed', async (t) => {
  t.equal(flightMethodOf('/jetbridge.tunnel.v1.Tunnel/Hello'), undefined);
  t.equal(flightMethodOf(`${FLIGHT_SERVICE_PATH}constructor`), undefined);
  t.equal(flightMethodOf(undefined), undefined);
  t.equal(flightMethodOf(`${FLIGHT_SERVICE_PATH}Handshake`), undefined, 'answered by the gateway itself');
});
