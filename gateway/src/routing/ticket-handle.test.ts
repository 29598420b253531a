import { workerIdOfHandle } from '@jetbridge/proto/handle';
import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { flightInfoMessage, flightInfoOf, handleOf } from '../testing/flight-messages.ts';
import { handleInFlightInfo } from './ticket-handle.ts';

const workerId = newId('wkr');
const handle = handleOf(workerId);

t.test('the handle in the first ticket, behind whatever comes before it', async (t) => {
  t.same(handleInFlightInfo(flightInfoMessage(handle), workerId), handle);
  t.same(handleInFlightInfo(flightInfoMessage(handle, Buffer.alloc(300_000, 'x')), workerId), handle);
  t.same(flightInfoOf(handle).endpoint.length, 1);
});

t.test('nothing for handles of other workers, and for what is no FlightInfo', async (t) => {
  t.equal(handleInFlightInfo(flightInfoMessage(handle), newId('wkr')), undefined);
  t.equal(handleInFlightInfo(flightInfoMessage(Buffer.from('no handle')), workerId), undefined);
  t.equal(handleInFlightInfo(Buffer.alloc(0), workerId), undefined);
});

t.test('bytes that were cut or altered make it neither throw nor answer with what is not of this worker', async (t) => {
  const message = flightInfoMessage(handle);
  const strange: string[] = [];
  for (let at = 0; at < message.length; at += 1) {
    const cut = handleInFlightInfo(message.subarray(0, at), workerId);
    if (cut !== undefined && !cut.equals(handle)) {
      strange.push(`cut at ${at}`);
    }
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      const found = handleInFlightInfo(changed(message, at, byte), workerId);
      if (found !== undefined && workerIdOfHandle(found) !== workerId) {
        strange.push(`${byte} at ${at}`);
      }
    }
  }
  t.same(strange, []);
  t.equal(handleInFlightInfo(Buffer.alloc(64, 0xff), workerId), undefined);
  t.equal(handleInFlightInfo(Buffer.from([0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f]), workerId), undefined, 'a length beyond the end');
});

function changed(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}
