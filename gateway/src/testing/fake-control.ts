import type {
  AuthenticateReply,
  AuthenticateRequest,
  OpenSessionReply,
  OpenSessionRequest,
  WorkerAdmission,
} from '@jetbridge/proto/control';
import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Control } from '../control/interface.ts';

/** A control plane with one principal, in memory. */
export class FakeControl implements Control {
  readonly username = 'ada';
  readonly password = 'pass:word';
  readonly principal = { id: newId('prn'), name: 'ada', kind: 'person', roles: ['admin', 'member'] } as const;
  readonly admissions = new Map<string, WorkerAdmission>();
  readonly tokens = new Map<string, string | undefined>();
  readonly reports: unknown[] = [];
  reachable = true;
  questions = 0;

  addWorker(id: string, pool = 'default', state: WorkerAdmission['state'] = 'active'): void {
    this.admissions.set(id, { id, name: 'test', pool, labels: {}, state });
  }

  /** A long-lived access token, which belongs to no session. */
  addToken(token: string): void {
    this.tokens.set(token, undefined);
  }

  async authenticate({ basic, bearer }: AuthenticateRequest): Promise<AuthenticateReply> {
    this.questions += 1;
    this.#requireReachable();
    if (bearer === undefined ? !this.#isPassword(basic) : !this.tokens.has(bearer)) {
      throw new StatusError('unauthenticated', 'the credentials were refused');
    }
    const sessionId = bearer === undefined ? undefined : this.tokens.get(bearer);
    return { principal: this.principal, expiresAt: inAnHour(), ...(sessionId === undefined ? {} : { sessionId }) };
  }

  async openSession(request: OpenSessionRequest): Promise<OpenSessionReply> {
    this.#requireReachable();
    if (!this.#isPassword(request)) {
      throw new StatusError('unauthenticated', 'the credentials were refused');
    }
    const sessionId = newId('ses');
    const accessToken = `jba_${sessionId}`;
    this.tokens.set(accessToken, sessionId);
    return { accessToken, sessionId, expiresAt: inAnHour(), principal: this.principal };
  }

  async signOut(accessToken: string): Promise<void> {
    this.tokens.delete(accessToken);
  }

  async admission(workerId: string): Promise<WorkerAdmission> {
    this.#requireReachable();
    const admission = this.admissions.get(workerId);
    if (admission === undefined) {
      throw new StatusError('not_found', 'there is no such worker');
    }
    return admission;
  }

  async register(): Promise<void> {
    this.#requireReachable();
  }

  async reportTunnels(tunnels: unknown): Promise<void> {
    this.#requireReachable();
    this.reports.push(tunnels);
  }

  #isPassword(given: { readonly username: string; readonly password: string } | undefined): boolean {
    return given?.username === this.username && given.password === this.password;
  }

  #requireReachable(): void {
    if (!this.reachable) {
      throw new StatusError('unavailable', 'the control-api cannot be reached');
    }
  }
}

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}
