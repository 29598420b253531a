import type { GatewayAddress } from './enrollment.ts';

/** An authenticated caller. */
export interface Principal {
  /** `prn_…` */
  readonly id: string;
  readonly name: string;
  readonly kind: PrincipalKind;
  readonly roles: readonly PrincipalRole[];
}

export type PrincipalKind = 'person' | 'service';
export type PrincipalRole = 'admin' | 'member';

/** Body of `POST /v1/gateway/authenticate`: exactly one of the two. */
export type AuthenticateRequest =
  | { readonly basic: { readonly username: string; readonly password: string }; readonly bearer?: never }
  | { readonly bearer: string; readonly basic?: never };

export interface AuthenticateReply {
  readonly principal: Principal;
  /** ISO 8601. */
  readonly expiresAt: string;
  /** `ses_…`, when the bearer is the access token of a session. */
  readonly sessionId?: string;
}

/** Body of `POST /v1/gateway/sessions`: a Flight handshake. */
export interface OpenSessionRequest {
  readonly username: string;
  readonly password: string;
  readonly clientAddress: string;
}

export interface OpenSessionReply {
  /** `jba_…` */
  readonly accessToken: string;
  /** `ses_…` */
  readonly sessionId: string;
  /** ISO 8601. */
  readonly expiresAt: string;
  readonly principal: Principal;
}

/** Body of `PUT /v1/gateway/self`. Addresses are `host:port`. */
export interface GatewayReport {
  readonly tunnelAddress: string;
  readonly flightAddress: string;
  readonly version: string;
}

/** A revoked worker must not be believed, whatever certificate it shows. */
export type WorkerState = 'active' | 'revoked';

/** Answer of `GET /v1/gateway/workers/{id}`: may this worker's tunnel be admitted, and into which pool? */
export interface WorkerAdmission {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: WorkerState;
}

export interface TunnelReport {
  readonly tunnelId: string;
  readonly workerId: string;
  readonly bootId: string;
  readonly version: string;
  /** ISO 8601. */
  readonly connectedAt: string;
  readonly catalogs: readonly string[];
}

/** Body of `PUT /v1/gateway/tunnels`: always the full set, so a lost report heals with the next. */
export interface TunnelsReport {
  readonly tunnels: readonly TunnelReport[];
}

/** Answer of `GET /v1/worker/self`. */
export interface WorkerSelf {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly gateways: readonly GatewayAddress[];
}
