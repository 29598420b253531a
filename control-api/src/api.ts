import type { ServerOptions } from 'node:https';
import type { Authority } from '@jetbridge/pki/authority/authority';
import type { RandomBytes } from '@jetbridge/proto/ids';
import { auditRoutes } from './audit/routes.ts';
import { createAudit } from './audit/rules.ts';
import { gatewayAuthRoutes } from './auth/gateway-routes.ts';
import type { Passwords } from './auth/passwords.ts';
import type { PrincipalsOptions } from './auth/principals.ts';
import { authRoutes } from './auth/routes.ts';
import { SignIn } from './auth/sign-in.ts';
import { Tokens } from './auth/tokens.ts';
import type { Rows } from './database/database.ts';
import { Enrollment } from './enrollment/enroll.ts';
import { enrollmentRoutes } from './enrollment/routes.ts';
import { gatewayRoutes } from './gateways/routes.ts';
import { isActiveGateway } from './gateways/store.ts';
import type { ApiInstance } from './http/api-instance.ts';
import { createCallerGuard } from './http/caller.ts';
import { healthRoutes } from './http/health.ts';
import { createPeerGuard, type PeerReader } from './http/peer.ts';
import { createServer } from './http/server.ts';
import { pkiRoutes } from './pki/routes.ts';
import type { Logger, Metrics } from './telemetry.ts';
import { workerRoutes } from './workers/routes.ts';
import { isActiveWorker } from './workers/store.ts';

export interface ApiDependencies {
  readonly rows: Rows;
  readonly authority: Authority;
  readonly passwords: Passwords;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
  readonly readPeer: PeerReader;
  readonly tls?: ServerOptions;
}

export interface Api {
  readonly server: ApiInstance;
  readonly principals: PrincipalsOptions;
}

/** Puts the rules of all folders together and their routes on one server. */
export async function createApi(dependencies: ApiDependencies): Promise<Api> {
  const { rows, authority, passwords, logger, metrics, now, randomBytes, readPeer, tls } = dependencies;
  const audit = createAudit(rows, now);
  const principals = { rows, audit, passwords, now, randomBytes };
  const tokens = new Tokens({ rows, audit, now, randomBytes });
  const signIn = new SignIn({ rows, audit, passwords, tokens, signIns: metrics.signIns, now });
  const enrollment = new Enrollment({ rows, audit, authority, enrollments: metrics.enrollments, now, randomBytes });
  const caller = createCallerGuard(tokens);
  const gateway = createPeerGuard('gateway', readPeer, (id) => isActiveGateway(rows, id));
  const worker = createPeerGuard('worker', readPeer, (id) => isActiveWorker(rows, id));
  const gateways = { rows, now };
  const server = await createServer({
    logger,
    metrics,
    ...(tls === undefined ? {} : { tls }),
    routes: (app) => {
      healthRoutes(app, { rows, metrics });
      pkiRoutes(app, { authority });
      authRoutes(app, { principals, signIn, tokens, caller });
      gatewayAuthRoutes(app, { signIn, tokens, gateway });
      enrollmentRoutes(app, { enrollment, tokens: { rows, audit, now, randomBytes, rootPin: authority.rootPin }, caller });
      workerRoutes(app, { gateways, caller, gateway, worker });
      gatewayRoutes(app, { gateways, caller, gateway });
      auditRoutes(app, { rows, caller });
    },
  });
  return { server, principals };
}
