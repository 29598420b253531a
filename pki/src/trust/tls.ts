/**
 * The TLS policy: one function for each kind of listener and of dialer. Call it for the start AND for every reload (`server.setSecureContext(...)`): Node
 * falls back to its defaults (TLS 1.2, session tickets) for whatever a reload leaves out.
 *
 * TLS 1.3 everywhere: every client we know speaks it (Go, Java 11+, Python with OpenSSL 1.1.1+, Node).
 */
import { constants, X509Certificate } from 'node:crypto';
import type { ConnectionOptions, PeerCertificate, TlsOptions } from 'node:tls';
import type { ServiceKind } from '@jetbridge/proto/identity';
import { toStatusError } from '@jetbridge/proto/status-error';
import { TUNNEL_ALPN } from '@jetbridge/proto/tunnel-alpn';
import type { Credential, CredentialSource } from '../credential/credential.ts';
import { HANDSHAKE_TIMEOUT_MS } from '../limits.ts';
import { type ExpectedPeer, requireCertificate } from './peer.ts';

const MIN_VERSION = 'TLSv1.3';
const HTTP1_ALPN = 'http/1.1';
const HTTP2_ALPN = 'h2';

/** Where workers' tunnels arrive: a client certificate and our ALPN are required. `requirePeer` decides who it is, and refuses a client that offered no ALPN. */
export function tunnelListenerOptions(source: CredentialSource): TlsOptions {
  return { ...listenerOptions(source(), TUNNEL_ALPN), ...noResumption(), requestCert: true, rejectUnauthorized: true };
}

/** Where Flight clients arrive: they show no certificate, they authenticate inside. */
export function flightListenerOptions(source: CredentialSource): TlsOptions {
  return { ...listenerOptions(source(), HTTP2_ALPN), requestCert: false };
}

/** Where the control-api answers people and machines alike: a certificate is asked for, and `requirePeer` is called by the routes that need one. */
export function controlListenerOptions(source: CredentialSource): TlsOptions {
  return { ...listenerOptions(source(), HTTP1_ALPN), ...noResumption(), requestCert: true, rejectUnauthorized: false };
}

/** A worker's way to a gateway. */
export function tunnelDialOptions(source: CredentialSource): ConnectionOptions {
  const credential = source();
  return { ...certificateOptions(credential), ...serverOptions('gateway', credential.identity.trustDomain, TUNNEL_ALPN) };
}

/** A gateway's or worker's way to the control-api. */
export function mutualClientOptions(source: CredentialSource): ConnectionOptions {
  const credential = source();
  return { ...certificateOptions(credential), ...serverOptions('control-api', credential.identity.trustDomain, HTTP1_ALPN) };
}

/** The way of a process without a credential to the control-api, whose root it recognised by an enrollment token's pin. */
export function pinnedClientOptions(rootPem: string, trustDomain: string): ConnectionOptions {
  return { ca: rootPem, minVersion: MIN_VERSION, ...serverOptions('control-api', trustDomain, HTTP1_ALPN) };
}

/** The way to a control-api that nothing is known about yet: good for asking its roots, which a pin then decides on, and for nothing else. */
export function unverifiedClientOptions(): ConnectionOptions {
  return { rejectUnauthorized: false, minVersion: MIN_VERSION, ALPNProtocols: [HTTP1_ALPN] };
}

function listenerOptions(credential: Credential, alpn: string): TlsOptions {
  return { ...certificateOptions(credential), ALPNProtocols: [alpn], handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
}

/**
 * A session ticket resumes without the private key, without the chain, and past the certificate's expiry. The option stops stateless tickets; the stateful
 * ones that TLS 1.3 sends instead need a session store, which a server only has when somebody listens to its `newSession` and `resumeSession` events.
 */
function noResumption(): TlsOptions {
  return { secureOptions: constants.SSL_OP_NO_TICKET };
}

function certificateOptions(credential: Credential): TlsOptions & ConnectionOptions {
  return { key: credential.privateKeyPem, cert: credential.certificateChainPem, ca: credential.bundlePem, minVersion: MIN_VERSION };
}

/**
 * The server's host name is not compared: the identity URI under our own root says more (which gateway, not merely which host), and does not change with
 * DNS, NAT or port forwarding. It is checked within the handshake, before a byte is sent.
 */
function serverOptions(kind: ServiceKind, trustDomain: string, alpn: string): ConnectionOptions {
  return {
    ALPNProtocols: [alpn],
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => refusalOf(certificate, { kind, usage: 'server', trustDomain }),
  };
}

function refusalOf(certificate: PeerCertificate, expected: ExpectedPeer): Error | undefined {
  try {
    requireCertificate(new X509Certificate(certificate.raw), expected);
    return undefined;
  } catch (error) {
    return toStatusError(error);
  }
}
