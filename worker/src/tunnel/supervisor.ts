import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import { toStatusError } from '@jetbridge/proto/status-error';
import { pause } from '../run.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { Backoff } from './backoff.ts';
import type { Dial } from './dialer.ts';
import type { serveTunnel, TunnelEvents } from './session.ts';

/** Where the gateways are, as the control-api says. */
export interface GatewaySource {
  readonly gateways: readonly GatewayAddress[];
  /** Asks the control-api again soon: what is known did not work. */
  refresh(): void;
  /** Calls back on every change, and once at once; answers how to stop that. */
  watch(changed: () => void): () => void;
}

export interface SupervisorOptions {
  readonly source: GatewaySource;
  readonly dial: Dial;
  /** `serveTunnel` with its options filled in. */
  readonly serve: (
    socket: Parameters<typeof serveTunnel>[0],
    gateway: GatewayAddress,
    events: TunnelEvents,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly random: () => number;
  /** The first tunnel serves. */
  readonly ready: () => void;
}

interface Kept {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Keeps one tunnel to every gateway there is: dials new ones, drops gone ones, dials again whenever a tunnel retires. */
export class TunnelSupervisor {
  readonly #options: SupervisorOptions;
  readonly #kept: Map<string, Kept> = new Map();
  readonly #draining: Set<Promise<void>> = new Set();
  #serving = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Tunnels through which calls may come now. */
  get serving(): number {
    return this.#serving;
  }

  /** Until the signal fires; then every tunnel drains. */
  async run(signal: AbortSignal): Promise<void> {
    const unwatch = this.#options.source.watch(() => this.#reconcile(signal));
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) {
        resolve();
      }
    });
    unwatch();
    const kept = [...this.#kept.values()];
    for (const { stop } of kept) {
      stop.abort();
    }
    await Promise.all(kept.map(({ ended }) => ended));
    await Promise.all(this.#draining);
  }

  #reconcile(signal: AbortSignal): void {
    if (signal.aborted) {
      return;
    }
    const wanted = new Set(this.#options.source.gateways.map(({ id }) => id));
    for (const [id, { stop }] of this.#kept) {
      if (!wanted.has(id)) {
        this.#kept.delete(id);
        stop.abort();
      }
    }
    for (const id of wanted) {
      if (!this.#kept.has(id)) {
        const stop = new AbortController();
        this.#kept.set(id, { stop, ended: this.#keep(id, stop.signal) });
      }
    }
  }

  async #keep(gatewayId: string, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.#options.random);
    while (!signal.aborted) {
      const served = await this.#openOne(gatewayId, signal);
      if (served) {
        backoff.succeeded();
      } else {
        this.#options.metrics.tunnelDialFailed();
      }
      if (!signal.aborted) {
        this.#options.source.refresh();
        await pause(backoff.nextMs(), signal);
      }
    }
  }

  /** Opens one tunnel and waits until it retires; answers whether it ever served. */
  async #openOne(gatewayId: string, signal: AbortSignal): Promise<boolean> {
    // The address is looked up for each attempt: a gateway may come back on another port.
    const gateway = this.#options.source.gateways.find(({ id }) => id === gatewayId);
    if (gateway === undefined) {
      return false;
    }
    try {
      const socket = await this.#options.dial(gateway, signal);
      return await this.#serveUntilRetired(socket, gateway, signal);
    } catch (thrown) {
      if (!signal.aborted) {
        const { code, message } = toStatusError(thrown);
        this.#options.log.warn({ gatewayId, address: gateway.tunnelAddress, code, reason: message }, 'tunnel cannot be opened');
      }
      return false;
    }
  }

  #serveUntilRetired(socket: Parameters<typeof serveTunnel>[0], gateway: GatewayAddress, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      let served = false;
      const events: TunnelEvents = {
        serving: () => {
          served = true;
          this.#serving += 1;
          this.#options.ready();
        },
        retired: () => {
          this.#serving -= served ? 1 : 0;
          resolve(served);
        },
      };
      const ended = this.#options.serve(socket, gateway, events, signal);
      this.#draining.add(ended);
      void ended.finally(() => this.#draining.delete(ended));
    });
  }
}
