import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import type { Run } from '../query/run-context.ts';
import type { Session } from '../query/sessions.ts';
import type { Caller } from './caller.ts';

// Every catalog of the engine has this schema.
const FIRST_SCHEMA = 'main';

/**
 * Moves the session to where the call's headers point (clients.md rule 15). They come with every call, so only a change of theirs counts:
 * a USE or SetSessionOptions in between stays in force.
 */
export async function honourLocationHeaders(session: Session, caller: Caller, run: Run): Promise<void> {
  const { catalog, schema } = caller;
  if (catalog === undefined && schema === undefined) {
    return;
  }
  const requested = JSON.stringify([catalog, schema]);
  if (session.requestedLocation === requested) {
    return;
  }
  await relocate(session, { catalog, schema }, run);
  session.requestedLocation = requested;
}

/** Moves the session; a new catalog without a schema means the catalog's first. */
export async function relocate(
  session: Session,
  to: { readonly catalog?: string | undefined; readonly schema?: string | undefined },
  run: Run,
): Promise<void> {
  const { connections } = session;
  const catalog = to.catalog ?? connections.location.catalog;
  const schema = to.schema ?? (catalog === connections.location.catalog ? connections.location.schema : FIRST_SCHEMA);
  if (catalog !== connections.location.catalog || schema !== connections.location.schema) {
    try {
      await connections.relocate({ catalog, schema }, run.signal, run.meter);
    } catch (thrown) {
      throw toStatusError(thrown).code === 'invalid_argument' ? noSuchPlace(catalog, schema, thrown) : thrown;
    }
  }
}

function noSuchPlace(catalog: string, schema: string, cause: unknown): StatusError {
  return new StatusError('not_found', `there is no schema ${JSON.stringify(schema)} in a catalog ${JSON.stringify(catalog)} here`, {
    cause,
  });
}
