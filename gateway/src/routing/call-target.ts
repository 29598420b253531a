import {
  type Action,
  decodeAction,
  decodeFlightData,
  decodeFlightDescriptor,
  decodeTicket,
  type FlightDescriptor,
} from '@jetbridge/proto/flight';
import { decodeCommand, handleOfCommand } from '@jetbridge/proto/flight-sql';
import { decodeFlightSqlAction, handleOfAction } from '@jetbridge/proto/flight-sql-action';
import { workerIdOfHandle } from '@jetbridge/proto/handle';
import { StatusError } from '@jetbridge/proto/status-error';
import type { FlightMethod } from './flight-method.ts';

/** Where a call has to go, read from its first message. */
export interface CallTarget {
  /** The worker that a handle inside names; without one any worker of the pool will do. */
  readonly workerId?: string | undefined;
  /** That handle: of a prepared statement, or of a ticket. */
  readonly handle?: Buffer | undefined;
  /** The action's type, for DoAction. */
  readonly action?: string | undefined;
}

const ANY_WORKER: CallTarget = {};

/**
 * Reads only what routing needs. Content that cannot be read is no reason to refuse a call here: any worker will, and says why.
 * Only a message that is not what the RPC asks for at all is refused at once.
 */
export function callTarget(method: FlightMethod, message: Buffer): CallTarget {
  switch (method.routedBy) {
    case 'nothing':
      return ANY_WORKER;
    case 'descriptor':
      return targetOfDescriptor(decodeFlightDescriptor(message));
    case 'flight_data':
      return targetOfDescriptor(decodeFlightData(message).descriptor);
    case 'ticket':
      return targetOfCommand(decodeTicket(message).ticket);
    case 'action':
      return targetOfAction(decodeAction(message));
  }
}

function targetOfDescriptor(descriptor: FlightDescriptor | undefined): CallTarget {
  return descriptor?.type === 'CMD' ? targetOfCommand(descriptor.cmd) : ANY_WORKER;
}

function targetOfCommand(command: Buffer): CallTarget {
  return targetOfHandle(() => handleOfCommand(decodeCommand(command)));
}

function targetOfAction(action: Action): CallTarget {
  return { ...targetOfHandle(() => handleOfAction(decodeFlightSqlAction(action))), action: action.type };
}

function targetOfHandle(readHandle: () => Buffer | undefined): CallTarget {
  try {
    const handle = readHandle();
    return handle === undefined ? ANY_WORKER : { handle, workerId: workerIdOfHandle(handle) };
  } catch (thrown) {
    if (thrown instanceof StatusError) {
      return ANY_WORKER;
    }
    throw thrown;
  }
}
