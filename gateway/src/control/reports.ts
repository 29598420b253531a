import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayReport } from '@jetbridge/proto/control';
import { toStatusError } from '@jetbridge/proto/status-error';
import type { Logger } from 'pino';
import type { ControlLimits } from '../limits.ts';
import type { Tunnels } from '../tunnel/tunnels.ts';
import type { Control } from './interface.ts';

export interface ReportOptions {
  readonly control: Pick<Control, 'register' | 'reportTunnels'>;
  readonly tunnels: Tunnels;
  readonly limits: ControlLimits;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Tells the control-api where this gateway listens; tries until it has heard, or the signal aborts. */
export async function registerGateway(
  report: GatewayReport,
  { control, limits, log, random }: ReportOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      await control.register(report, signal);
      return;
    } catch (thrown) {
      const { code, message } = toStatusError(thrown);
      if (!signal.aborted) {
        log.warn({ code, reason: message }, 'gateway not registered');
      }
      const waitMs = Math.min(limits.retryMaxMs, limits.retryMinMs * 2 ** failures) * (0.5 + random() / 2);
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Reports the full set of tunnels whenever it changes and at every interval; a lost report heals with the next. */
export async function keepTunnelsReported({ control, tunnels, limits, log }: ReportOptions, signal: AbortSignal): Promise<void> {
  let wake = new AbortController();
  tunnels.onChange(() => wake.abort(), signal);
  while (!signal.aborted) {
    wake = new AbortController();
    try {
      await control.reportTunnels(reportOf(tunnels), signal);
    } catch (thrown) {
      if (!signal.aborted) {
        log.warn({ reason: toStatusError(thrown).message }, 'tunnels not reported');
      }
    }
    await delay(limits.tunnelReportIntervalMs, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => undefined);
  }
}

function reportOf(tunnels: Tunnels) {
  return tunnels.ready().map(({ tunnelId, workerId, bootId, version, catalogs, connectedAt }) => ({
    tunnelId,
    workerId,
    bootId,
    version,
    catalogs,
    connectedAt: connectedAt.toISOString(),
  }));
}
