import { controlRequest } from '@jetbridge/pki/credential/control-request';
import type { CredentialSource } from '@jetbridge/pki/credential/credential';
import type { WorkerSelf } from '@jetbridge/proto/control';
import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { CONTROL_TIMEOUT_MS, GATEWAYS_MAX, GATEWAYS_REFRESH_INTERVAL_MS, GATEWAYS_REFRESH_MIN_MS } from '../limits.ts';
import { pause } from '../run.ts';
import type { Logger } from '../telemetry.ts';
import type { GatewaySource } from '../tunnel/supervisor.ts';

export interface GatewayDirectoryOptions {
  readonly ask: (signal: AbortSignal) => Promise<WorkerSelf>;
  readonly log: Logger;
}

/** What the control-api knows of this worker and of the gateways: asked at the start, at intervals, and when a dial fails. */
export class GatewayDirectory implements GatewaySource {
  readonly #options: GatewayDirectoryOptions;
  readonly #watchers: Set<() => void> = new Set();
  #self: WorkerSelf | undefined;
  #wake = new AbortController();

  constructor(options: GatewayDirectoryOptions) {
    this.#options = options;
  }

  get gateways(): readonly GatewayAddress[] {
    return this.#self?.gateways.slice(0, GATEWAYS_MAX) ?? [];
  }

  /** Empty until the control-api has been asked; no tunnel is dialed before. */
  get pool(): string {
    return this.#self?.pool ?? '';
  }

  refresh(): void {
    this.#wake.abort();
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    changed();
    return () => this.#watchers.delete(changed);
  }

  /** Asks until the signal fires. What was heard last stays true while the control-api does not answer. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const asked = await this.#ask(signal);
      await pause(GATEWAYS_REFRESH_MIN_MS, signal);
      // Without any gateway there is nothing to do but to ask.
      if (asked && this.gateways.length > 0) {
        await pause(GATEWAYS_REFRESH_INTERVAL_MS, AbortSignal.any([signal, this.#wake.signal]));
      }
    }
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
    try {
      this.#self = await this.#options.ask(signal);
    } catch (thrown) {
      if (!signal.aborted) {
        const { code, message } = toStatusError(thrown);
        this.#options.log.warn({ code, reason: message }, 'control-api does not tell the gateways');
      }
      return false;
    }
    for (const changed of this.#watchers) {
      changed();
    }
    return true;
  }
}

/** Asks the control-api over mTLS who this worker is and where its gateways are. */
export function askControlApi(controlUrl: URL, credential: CredentialSource): GatewayDirectoryOptions['ask'] {
  return async (signal) =>
    selfOf(
      await controlRequest({
        controlUrl: controlUrl.origin,
        credential,
        method: 'GET',
        path: '/v1/worker/self',
        signal,
        timeoutMs: CONTROL_TIMEOUT_MS,
      }),
    );
}

function selfOf(answer: unknown): WorkerSelf {
  const self = (answer ?? {}) as Partial<WorkerSelf>;
  if (
    typeof self.id !== 'string' ||
    typeof self.pool !== 'string' ||
    !Array.isArray(self.gateways) ||
    !self.gateways.every(isGatewayAddress)
  ) {
    throw new StatusError(
      'failed_precondition',
      'the control-api answers in a form that this version does not know: use matching versions',
    );
  }
  return self as WorkerSelf;
}

function isGatewayAddress(value: unknown): value is GatewayAddress {
  const { id, tunnelAddress, serverName } = (value ?? {}) as Partial<Record<keyof GatewayAddress, unknown>>;
  return typeof id === 'string' && typeof tunnelAddress === 'string' && typeof serverName === 'string';
}
