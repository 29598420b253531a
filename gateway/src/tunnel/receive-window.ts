import type { Http2Session } from 'node:http2';
import type { WindowLimits } from '../limits.ts';

/**
 * How much of one stream may be under way, in bytes. Twice what a round trip takes, as credit goes back when half a window has been used; no
 * more than the stream's share of the budget, since a stalled reader holds it all here; never below the least.
 */
export function streamWindowBytes(limits: WindowLimits, roundTripMs: number, streams: number): number {
  const wanted = powerOfTwoFrom(2 * roundTripMs * limits.bytesPerMs);
  const share = powerOfTwoUpTo(limits.budgetBytes / Math.max(1, streams));
  return Math.max(limits.leastBytes, Math.min(wanted, share));
}

function powerOfTwoFrom(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

function powerOfTwoUpTo(value: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, value)));
}

/**
 * Keeps the window that a tunnel gives to each of its streams in step with the round trip and with how many streams there are. It shrinks
 * before the stream that makes it too large is opened, and grows only after a calm, when the peer has acknowledged what came before: SETTINGS
 * stay rare, and a frozen peer never has more than a handful of them to answer.
 */
export class ReceiveWindow {
  readonly #session: Http2Session;
  readonly #limits: WindowLimits;
  /** The latest last. */
  readonly #roundTripsMs: number[] = [];
  #bytes: number;
  #streams = 0;
  /** The most streams at once since the window was last looked at. */
  #mostStreams = 0;
  #unacknowledged = 0;
  #look: NodeJS.Timeout | undefined;

  /** `limits.leastBytes` is what the session was opened with. */
  constructor(session: Http2Session, limits: WindowLimits) {
    this.#session = session;
    this.#limits = limits;
    this.#bytes = limits.leastBytes;
    session.once('close', () => clearTimeout(this.#look));
  }

  get bytes(): number {
    return this.#bytes;
  }

  get streams(): number {
    return this.#streams;
  }

  /** To be called before the stream's headers are sent: its window is then the one for this many. */
  opening(): void {
    this.#streams += 1;
    this.#mostStreams = Math.max(this.#mostStreams, this.#streams);
    const share = streamWindowBytes(this.#limits, Number.POSITIVE_INFINITY, this.#streams);
    if (share < this.#bytes) {
      this.#set(share);
    }
  }

  closed(): void {
    this.#streams -= 1;
    this.#lookLater();
  }

  /** Of an idle moment: under load, an answer queues behind data. */
  measured(roundTripMs: number): void {
    this.#roundTripsMs.push(roundTripMs);
    if (this.#roundTripsMs.length > this.#limits.roundTripsKept) {
      this.#roundTripsMs.shift();
    }
    if (this.#roundTripsMs.length === 1) {
      this.#adjust();
    } else {
      this.#lookLater();
    }
  }

  #wanted(streams: number): number {
    return this.#roundTripsMs.length === 0 ? this.#bytes : streamWindowBytes(this.#limits, Math.min(...this.#roundTripsMs), streams);
  }

  // Half is as good: where a round trip lies at the edge of two windows, both would take turns.
  #isDue(wanted: number): boolean {
    return wanted > this.#bytes || wanted < this.#bytes / 2;
  }

  #lookLater(): void {
    if (this.#look === undefined && this.#isDue(this.#wanted(this.#streams)) && !this.#session.closed) {
      this.#look = setTimeout(() => this.#adjust(), this.#limits.calmMs).unref();
    }
  }

  #adjust(): void {
    this.#look = undefined;
    const wanted = this.#wanted(this.#mostStreams);
    this.#mostStreams = this.#streams;
    if (this.#unacknowledged === 0 && this.#isDue(wanted)) {
      this.#set(wanted);
    }
    this.#lookLater();
  }

  #set(bytes: number): void {
    if (this.#session.destroyed) {
      return;
    }
    this.#bytes = bytes;
    this.#unacknowledged += 1;
    this.#session.settings({ initialWindowSize: bytes }, () => {
      this.#unacknowledged -= 1;
    });
  }
}
