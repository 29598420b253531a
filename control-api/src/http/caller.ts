import { StatusError } from '@jetbridge/proto/status-error';
import type { FastifyRequest } from 'fastify';
import type { Bearer, Tokens } from '../auth/tokens.ts';

type Hook = (request: FastifyRequest) => Promise<void>;

/** Proof of identity by access token. The hooks run before a body is read. */
export interface CallerGuard {
  readonly bearer: Hook;
  readonly admin: Hook;
  /** Who passed one of the hooks. */
  callerOf(request: FastifyRequest): Bearer;
}

export function createCallerGuard(tokens: Tokens): CallerGuard {
  const callers = new WeakMap<FastifyRequest, Bearer>();

  async function bearer(request: FastifyRequest): Promise<void> {
    const [, text] = /^Bearer +([^\s]+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (text === undefined) {
      throw new StatusError('unauthenticated', 'an access token is required: authorization: Bearer jba_…; sign in with POST /v1/sign-in');
    }
    callers.set(request, await tokens.verify(text));
  }

  function callerOf(request: FastifyRequest): Bearer {
    const caller = callers.get(request);
    if (caller === undefined) {
      throw new StatusError('internal', 'a route reads its caller without asking for one');
    }
    return caller;
  }

  return {
    bearer,
    admin: async (request) => {
      await bearer(request);
      if (!callerOf(request).principal.roles.includes('admin')) {
        throw new StatusError('permission_denied', 'only an admin may do this');
      }
    },
    callerOf,
  };
}
