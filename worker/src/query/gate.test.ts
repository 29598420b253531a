import t from 'tap';
import { Gate } from './gate.ts';

const live = new AbortController().signal;

t.test('lets in as many as it has permits, the others in order', async (t) => {
  const gate = new Gate(1, 2, 'full');
  const order: string[] = [];
  t.equal(gate.enter(live), undefined);
  const first = gate.enter(live)?.then(() => order.push('first'));
  const second = gate.enter(live)?.then(() => order.push('second'));
  t.throws(() => gate.enter(live), { code: 'resource_exhausted', message: 'full' });
  const running = gate.enter(live, 'running')?.then(() => order.push('running'));
  gate.leave();
  await first;
  gate.leave();
  await second;
  gate.leave();
  await running;
  gate.leave();
  t.same(order, ['first', 'second', 'running']);
  t.equal(gate.taken, false);
});

t.test('who gives up leaves the queue and takes no permit', async (t) => {
  const gate = new Gate(1, 2, 'full');
  await gate.enter(live);
  const stop = new AbortController();
  const waiting = gate.enter(stop.signal);
  stop.abort(new Error('no longer'));
  await t.rejects(Promise.resolve(waiting), { message: 'no longer' });
  t.equal(gate.contended, false);
  gate.leave();
  t.equal(gate.taken, false);
  t.throws(() => gate.enter(stop.signal), { message: 'no longer' });
});
