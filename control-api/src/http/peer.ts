import { TLSSocket } from 'node:tls';
import { requirePeer } from '@jetbridge/pki/trust/peer';
import type { Identity, ServiceKind } from '@jetbridge/proto/identity';
import { StatusError } from '@jetbridge/proto/status-error';
import type { FastifyRequest } from 'fastify';

/** Reads who is at the other end of a request's TLS connection, or throws. */
export type PeerReader = (request: FastifyRequest, kind: PeerKind) => Identity;
export type PeerKind = Exclude<ServiceKind, 'control-api'>;

/** Proof of identity by certificate. The hook runs before a body is read. */
export interface PeerGuard {
  readonly require: (request: FastifyRequest) => Promise<void>;
  /** Id of the peer that passed the hook. */
  idOf(request: FastifyRequest): string;
}

/** The reader for real connections. */
export function tlsPeerReader(trustDomain: string, now: () => Date): PeerReader {
  return (request, kind) => {
    if (!(request.raw.socket instanceof TLSSocket)) {
      throw new StatusError('unauthenticated', 'a TLS client certificate is required');
    }
    return requirePeer(request.raw.socket, { kind, usage: 'client', trustDomain, now });
  };
}

/** Believes a certificate of the kind only while `isActive` knows its id: a certificate outlives a revocation. */
export function createPeerGuard(kind: PeerKind, read: PeerReader, isActive: (id: string) => Promise<boolean>): PeerGuard {
  const ids = new WeakMap<FastifyRequest, string>();
  return {
    require: async (request) => {
      const { id } = read(request, kind);
      if (!(await isActive(id))) {
        throw new StatusError('permission_denied', `this ${kind} was revoked or is not known here; enroll it again`);
      }
      ids.set(request, id);
    },
    idOf: (request) => {
      const id = ids.get(request);
      if (id === undefined) {
        throw new StatusError('internal', 'a route reads its peer without asking for one');
      }
      return id;
    },
  };
}
