import { MessageBoundary } from '@jetbridge/proto/grpc-frame';
import type { CarriedPlace } from './carried-results.ts';

/** Takes what a worker sends behind a FlightInfo, within the place's bound and its time. */
export class CarriedTail {
  readonly #place: CarriedPlace;
  readonly #unwanted: () => void;
  readonly #boundary = new MessageBoundary();
  readonly #timer: NodeJS.Timeout;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #open = true;

  /** `unwanted` is called when the worker sends too much or takes too long. */
  constructor(place: CarriedPlace, timeoutMs: number, unwanted: () => void) {
    this.#place = place;
    this.#unwanted = unwanted;
    this.#timer = setTimeout(() => this.#refuse(), timeoutMs);
  }

  push(chunk: Buffer): void {
    if (!this.#open) {
      return;
    }
    this.#bytes += chunk.length;
    if (this.#bytes > this.#place.mostBytes) {
      this.#refuse();
      return;
    }
    this.#boundary.push(chunk);
    this.#chunks.push(chunk);
  }

  /** The stream has ended; `rows` when the worker says that this was all of the result. Idempotent. */
  end(rows: number | undefined): void {
    if (!this.#open) {
      return;
    }
    const chunks = this.#close();
    if (rows === undefined || !this.#boundary.atBoundary || chunks.length === 0) {
      this.#place.giveUp();
    } else {
      // Copied: a chunk may be a small part of a large buffer that would live as long.
      this.#place.complete({ bytes: Buffer.concat(chunks, this.#bytes), rows });
    }
  }

  #refuse(): void {
    this.#close();
    this.#place.giveUp();
    this.#unwanted();
  }

  #close(): readonly Buffer[] {
    this.#open = false;
    clearTimeout(this.#timer);
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }
}
