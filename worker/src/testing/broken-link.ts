import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { GatewayAddress } from '@jetbridge/proto/enrollment';

/** A TCP connection between worker and gateway that can stop taking what the worker sends, and be reset then. */
export class BrokenLink {
  readonly #server = createServer((worker) => this.#join(worker));
  #target: { readonly host: string; readonly port: number } | undefined;
  #worker: Socket | undefined;
  #gateway: Socket | undefined;

  static async listen(t: { teardown(end: () => void): unknown }): Promise<BrokenLink> {
    const link = new BrokenLink();
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    t.teardown(() => link.#server.close());
    return link;
  }

  /** The address to dial instead of the given one. */
  to(gateway: GatewayAddress): GatewayAddress {
    const { hostname, port } = new URL(`tcp://${gateway.tunnelAddress}`);
    this.#target = { host: hostname, port: Number(port) };
    return { ...gateway, tunnelAddress: `127.0.0.1:${(this.#server.address() as AddressInfo).port}` };
  }

  #join(worker: Socket): void {
    if (this.#target === undefined) {
      throw new Error('a link needs a gateway');
    }
    this.#worker = worker;
    const gateway = connect(this.#target);
    this.#gateway = gateway;
    worker.on('error', () => gateway.destroy()).on('close', () => gateway.destroy());
    gateway.on('error', () => worker.destroy()).on('close', () => worker.destroy());
    worker.pipe(gateway).pipe(worker);
  }

  stopReading(): void {
    this.#worker?.unpipe().pause();
  }

  /** Resolves when the next bytes of the gateway have been handed to the kernel for the worker. */
  async passedOn(): Promise<void> {
    if (this.#gateway && this.#worker) {
      await once(this.#gateway, 'data');
      await new Promise((resolve) => this.#worker?.write('', resolve));
    }
  }

  reset(): void {
    this.#worker?.resetAndDestroy();
  }
}
