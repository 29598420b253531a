import type { Principal, PrincipalKind, PrincipalRole } from '@jetbridge/proto/control';
import { newId, type RandomBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Audit } from '../audit/rules.ts';
import { ADVISORY_LOCKS, advisoryLock, type Rows } from '../database/database.ts';
import { isUniqueViolation } from '../database/errors.ts';
import type { Passwords } from './passwords.ts';
import { anyPrincipal, insertPrincipal } from './store.ts';

export interface NewPrincipal {
  readonly name: string;
  readonly kind: PrincipalKind;
  readonly roles: readonly PrincipalRole[];
  readonly password?: string | undefined;
}

export interface PrincipalsOptions {
  readonly rows: Rows;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
}

/** 144 random bits in 24 characters. */
const INITIAL_PASSWORD_BYTES = 18;

/** Creates a principal. A person needs a password; a service lives by access tokens. */
export async function createPrincipal(
  options: PrincipalsOptions,
  caller: Principal,
  request: NewPrincipal,
  sourceAddress: string,
): Promise<Principal> {
  if (request.kind === 'person' && request.password === undefined) {
    throw new StatusError('invalid_argument', 'body.password is required for a person');
  }
  const principal: Principal = {
    id: newId('prn', options.randomBytes),
    name: request.name,
    kind: request.kind,
    roles: [...new Set(request.roles)],
  };
  const passwordHash = request.password === undefined ? null : await options.passwords.hash(request.password);
  try {
    await options.rows.transaction().execute(async (writes) => {
      await insertPrincipal(writes, { ...principal, roles: [...principal.roles], password_hash: passwordHash, created_at: options.now() });
      await options.audit.record(writes, {
        actor: caller.id,
        action: 'principal.create',
        subject: principal.id,
        outcome: 'success',
        sourceAddress,
        detail: { name: principal.name, kind: principal.kind, roles: principal.roles },
      });
    });
  } catch (error) {
    throw isUniqueViolation(error) ? new StatusError('already_exists', 'a principal of this name exists') : error;
  }
  return principal;
}

/**
 * Gives a database without principals its first: `admin`, with a random password that goes to `keepPassword` before the row
 * is written, so there is never an admin whose password nobody has. True if it was made.
 */
export async function createInitialAdmin(options: PrincipalsOptions, keepPassword: (password: string) => Promise<void>): Promise<boolean> {
  if (await anyPrincipal(options.rows)) {
    return false;
  }
  const password = options.randomBytes(INITIAL_PASSWORD_BYTES).toString('base64url');
  const passwordHash = await options.passwords.hash(password);
  return await options.rows.transaction().execute(async (writes) => {
    await advisoryLock(writes, ADVISORY_LOCKS.initialAdmin);
    if (await anyPrincipal(writes)) {
      return false;
    }
    await keepPassword(password);
    const id = newId('prn', options.randomBytes);
    await insertPrincipal(writes, {
      id,
      name: 'admin',
      kind: 'person',
      roles: ['admin'],
      password_hash: passwordHash,
      created_at: options.now(),
    });
    await options.audit.record(writes, {
      action: 'principal.create',
      subject: id,
      outcome: 'success',
      sourceAddress: 'local',
      detail: { name: 'admin', initial: true },
    });
    return true;
  });
}
