import { FLIGHT_SERVICE_PATH } from '@jetbridge/proto/flight';
import { StatusError } from '@jetbridge/proto/status-error';
import { doAction, listActions } from './actions.ts';
import { callerOf } from './caller.ts';
import type { FlightContext } from './context.ts';
import { getFlightInfo, getSchema, pollFlightInfo } from './describe.ts';
import { doGet } from './fetch.ts';
import { doPut } from './put.ts';
import type { Call, Handler } from './server.ts';

type FlightMethod = (context: FlightContext, call: Call) => Promise<void>;

const METHODS: Readonly<Record<string, FlightMethod>> = {
  GetFlightInfo: getFlightInfo,
  PollFlightInfo: pollFlightInfo,
  GetSchema: getSchema,
  DoGet: doGet,
  DoPut: doPut,
  DoAction: doAction,
  ListActions: listActions,
  // Flight SQL has no flights to list: statements are made by asking.
  ListFlights: () => Promise.resolve(),
  DoExchange: () => refuse('DoExchange is not supported; use GetFlightInfo and DoGet'),
  Handshake: () => refuse('the gateway answers Handshake'),
};

function refuse(reason: string): Promise<never> {
  return Promise.reject(new StatusError('unimplemented', reason));
}

/** The methods of the Flight service by `:path`. None runs for a caller the gateway did not name. */
export function flightHandlers(context: FlightContext): ReadonlyMap<string, Handler> {
  return new Map(
    Object.entries(METHODS).map(([name, method]) => [
      FLIGHT_SERVICE_PATH + name,
      async (call) => {
        callerOf(call.headers);
        await method(context, call);
      },
    ]),
  );
}
