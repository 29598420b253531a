import type {
  AuthenticateReply,
  AuthenticateRequest,
  GatewayReport,
  OpenSessionReply,
  OpenSessionRequest,
  TunnelReport,
  WorkerAdmission,
} from '@jetbridge/proto/control';

/** What the gateway asks of the control plane. Every method throws a StatusError; `unavailable` when the control-api cannot be reached. */
export interface Control {
  /** Who these credentials belong to; `unauthenticated` when to nobody. Guessing is limited by the client's address, without its port. */
  authenticate(credentials: AuthenticateRequest, clientAddress: string): Promise<AuthenticateReply>;
  /** Verifies a password and makes a session with an access token of its own. */
  openSession(request: OpenSessionRequest): Promise<OpenSessionReply>;
  /** Ends the life of an access token. */
  signOut(accessToken: string): Promise<void>;
  /** May this worker's tunnel be taken, and into which pool? */
  admission(workerId: string, signal: AbortSignal): Promise<WorkerAdmission>;
  register(report: GatewayReport, signal: AbortSignal): Promise<void>;
  /** Always the full set. */
  reportTunnels(tunnels: readonly TunnelReport[], signal: AbortSignal): Promise<void>;
}
