import type { SessionOptionError, SessionOptions, SessionOptionValue } from '@jetbridge/proto/flight-session';
import { toStatusError } from '@jetbridge/proto/status-error';
import type { Run } from '../query/run-context.ts';
import type { Session } from '../query/sessions.ts';
import { relocate } from './location.ts';

/** The options this worker knows: where unqualified names are looked up. */
const NAMES = ['catalog', 'schema'] as const;
type OptionName = (typeof NAMES)[number];

/** Sets what can be set and names what cannot (clients.md rule 8). The catalog is set first, since a schema is looked up in it. */
export async function setSessionOptions(
  session: Session,
  options: SessionOptions,
  run: Run,
): Promise<ReadonlyMap<string, SessionOptionError>> {
  const errors = new Map<string, SessionOptionError>();
  for (const name of options.keys()) {
    if (!NAMES.some((known) => known === name)) {
      errors.set(name, 'invalid_name');
    }
  }
  for (const name of NAMES) {
    const value = options.get(name);
    const error = value === undefined ? undefined : await setOption(session, name, value, run);
    if (error !== undefined) {
      errors.set(name, error);
    }
  }
  return errors;
}

async function setOption(session: Session, name: OptionName, value: SessionOptionValue, run: Run): Promise<SessionOptionError | undefined> {
  if (value.kind !== 'string' && value.kind !== 'unset') {
    return 'invalid_value';
  }
  try {
    await relocate(session, { [name]: value.kind === 'unset' ? session.defaultLocation[name] : value.value }, run);
    return undefined;
  } catch (thrown) {
    if (toStatusError(thrown).code === 'not_found') {
      return 'invalid_value';
    }
    throw thrown;
  }
}

export function getSessionOptions({ connections }: Session): SessionOptions {
  return new Map(NAMES.map((name) => [name, { kind: 'string', value: connections.location[name] }]));
}
