import t from 'tap';
import * as session from './flight-session.ts';

const options: session.SessionOptions = new Map<string, session.SessionOptionValue>([
  ['catalog', { kind: 'string', value: 'main' }],
  ['empty', { kind: 'string', value: '' }],
  ['no', { kind: 'bool', value: false }],
  ['big', { kind: 'int64', value: -9_223_372_036_854_775_808n }],
  ['ratio', { kind: 'double', value: 0.1 }],
  ['list', { kind: 'string_list', value: ['a', ''] }],
  ['none', { kind: 'string_list', value: [] }],
  ['gone', { kind: 'unset' }],
  ['__proto__', { kind: 'string', value: 'x' }],
  ['constructor', { kind: 'string', value: 'y' }],
]);

t.test('options keep names, kinds and values', async (t) => {
  t.same(session.decodeSetSessionOptionsRequest(session.encodeSetSessionOptionsRequest(options)), options);
  t.same(session.decodeGetSessionOptionsResult(session.encodeGetSessionOptionsResult(options)), options);
  t.equal(session.decodeSetSessionOptionsRequest(Buffer.alloc(0)).size, 0);
  t.equal(Object.hasOwn(Object.prototype, 'stringValue'), false);
});

t.test('errors name options', async (t) => {
  const errors = new Map<string, session.SessionOptionError>([
    ['a', 'invalid_name'],
    ['b', 'invalid_value'],
    ['c', 'error'],
  ]);
  t.same(session.decodeSetSessionOptionsResult(session.encodeSetSessionOptionsResult(errors)), errors);
  t.equal(session.encodeSetSessionOptionsResult(new Map()).length, 0);
});

t.test('closing', async (t) => {
  for (const status of ['unspecified', 'closed', 'closing', 'not_closeable'] as const) {
    t.equal(session.decodeCloseSessionResult(session.encodeCloseSessionResult(status)), status);
  }
  t.same(session.encodeCloseSessionResult('closed'), Buffer.from([0x08, 1]));
});
