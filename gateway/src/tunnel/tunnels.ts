import type { AdmittedWorker, Tunnel } from './tunnel.ts';

/** A tunnel that takes streams, with what its worker said of itself. */
export interface ReadyTunnel extends AdmittedWorker {
  readonly tunnel: Tunnel;
  readonly tunnelId: string;
  readonly bootId: string;
  readonly version: string;
  readonly catalogs: readonly string[];
  readonly connectedAt: Date;
}

/** Workers that serve the same catalogs, as far as this gateway holds their tunnels. */
export interface Pool {
  readonly name: string;
  readonly workerIds: readonly string[];
  readonly catalogs: ReadonlySet<string>;
}

/** The tunnels of this gateway process: the truth about which workers it reaches. */
export class Tunnels {
  readonly #all = new Set<Tunnel>();
  // In the order in which they became ready.
  readonly #ready = new Map<Tunnel, ReadyTunnel>();
  readonly #listeners = new Set<() => void>();
  #pools: ReadonlyMap<string, Pool> | undefined;

  /** All that are open in any way. */
  get size(): number {
    return this.#all.size;
  }

  get streams(): number {
    let streams = 0;
    for (const tunnel of this.#all) {
      streams += tunnel.streams;
    }
    return streams;
  }

  /** Follows a tunnel from its first state to its last; to be called after every change of its state. */
  track(tunnel: Tunnel): void {
    const { state } = tunnel;
    if (state.kind === 'closed') {
      this.#all.delete(tunnel);
    } else {
      this.#all.add(tunnel);
    }
    if (state.kind === 'ready') {
      const entry = { ...state.worker, tunnel, tunnelId: tunnel.id, connectedAt: state.connectedAt };
      this.#ready.set(tunnel, entry);
      this.#endEarlierStarts(entry);
      this.#changed();
    } else if (this.#ready.delete(tunnel)) {
      this.#changed();
    }
  }

  ready(): readonly ReadyTunnel[] {
    return [...this.#ready.values()];
  }

  /** The worker's newest tunnel: while it replaces a tunnel by another, it has two. */
  ofWorker(workerId: string): ReadyTunnel | undefined {
    return this.ready().findLast((entry) => entry.workerId === workerId);
  }

  pools(): ReadonlyMap<string, Pool> {
    this.#pools ??= poolsOf(this.ready());
    return this.#pools;
  }

  /** Calls `listener` whenever the set of ready tunnels changes, until the signal aborts. */
  onChange(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  /** Resolves when there is a ready tunnel, or when the signal aborts. */
  async firstReady(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (this.#ready.size > 0 || signal.aborted) {
          resolve();
        }
      };
      this.onChange(check, over.signal);
      signal.addEventListener('abort', check, { once: true, signal: over.signal });
      check();
    });
    over.abort();
  }

  drainAll(reason: string): void {
    for (const tunnel of [...this.#all]) {
      tunnel.drain(reason);
    }
  }

  closeAll(reason: string): void {
    for (const tunnel of [...this.#all]) {
      tunnel.close(reason);
    }
  }

  // A worker that has started anew knows nothing of what its former process did, whether or not that one's end has been noticed yet.
  #endEarlierStarts({ workerId, bootId }: ReadyTunnel): void {
    for (const former of this.ready()) {
      if (former.workerId === workerId && former.bootId !== bootId) {
        former.tunnel.close('the worker has started anew');
      }
    }
  }

  #changed(): void {
    this.#pools = undefined;
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

function poolsOf(tunnels: readonly ReadyTunnel[]): ReadonlyMap<string, Pool> {
  const names = new Set(tunnels.map(({ pool }) => pool));
  return new Map([...names].map((name) => [name, poolOf(name, tunnels)]));
}

function poolOf(name: string, tunnels: readonly ReadyTunnel[]): Pool {
  const members = tunnels.filter(({ pool }) => pool === name);
  return {
    name,
    workerIds: [...new Set(members.map(({ workerId }) => workerId))],
    catalogs: new Set(members.flatMap(({ catalogs }) => catalogs)),
  };
}
