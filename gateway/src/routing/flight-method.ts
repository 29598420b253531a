import { FLIGHT_SERVICE_PATH } from '@jetbridge/proto/flight';
import { FLIGHT_DATA_MAX_BYTES, REQUEST_MAX_BYTES } from '@jetbridge/proto/limits';

/** How the gateway treats one RPC of the Flight service. */
export interface FlightMethod {
  readonly name: string;
  /** What its first message is, as far as routing cares. */
  readonly routedBy: 'nothing' | 'descriptor' | 'ticket' | 'action' | 'flight_data';
  /** The largest first message. */
  readonly messageBytes: number;
  /** Client and server may talk in turns. */
  readonly inTurns: boolean;
  /** It may begin a statement, which then needs an id. */
  readonly mayStartStatement: boolean;
}

type Traits = Pick<FlightMethod, 'routedBy' | 'inTurns' | 'mayStartStatement'>;

const LOOKUP: Traits = { routedBy: 'descriptor', inTurns: false, mayStartStatement: false };
const START: Traits = { ...LOOKUP, mayStartStatement: true };
const LISTING: Traits = { ...LOOKUP, routedBy: 'nothing' };
const TALK: Traits = { routedBy: 'flight_data', inTurns: true, mayStartStatement: true };

const TRAITS: Readonly<Record<string, Traits>> = {
  ListFlights: LISTING,
  ListActions: LISTING,
  GetFlightInfo: START,
  PollFlightInfo: START,
  GetSchema: LOOKUP,
  DoGet: { ...LOOKUP, routedBy: 'ticket' },
  DoAction: { ...START, routedBy: 'action' },
  DoPut: TALK,
  DoExchange: TALK,
};

const METHODS: ReadonlyMap<string, FlightMethod> = new Map(
  Object.entries(TRAITS).map(([name, traits]) => [
    FLIGHT_SERVICE_PATH + name,
    { name, ...traits, messageBytes: traits.routedBy === 'flight_data' ? FLIGHT_DATA_MAX_BYTES : REQUEST_MAX_BYTES },
  ]),
);

/** The RPC with this `:path`, when the gateway relays it. Nothing else of a worker can be reached through the gateway. */
export function flightMethodOf(path: string | undefined): FlightMethod | undefined {
  return METHODS.get(path ?? '');
}

export const HANDSHAKE_PATH = `${FLIGHT_SERVICE_PATH}Handshake`;
