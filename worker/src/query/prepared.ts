import { newId } from '@jetbridge/proto/ids';
import type { Field, Schema } from 'apache-arrow';
import type { EngineStatement, ParameterValue } from '../engine/engine.ts';
import { PREPARED_PER_SESSION_MAX, PREPARED_TTL_MS } from '../limits.ts';
import type { StatementNature } from './classify.ts';
import type { HeldConnection } from './connections.ts';

/** One SQL text that the engine has checked, with what it said about it. It runs on any connection of its session. */
export interface PreparedStatement {
  readonly id: string;
  readonly sql: string;
  readonly nature: StatementNature;
  readonly kind: EngineStatement['kind'];
  /** Safe to run again in order to be read again. */
  readonly repeatable: boolean;
  readonly schema: Schema;
  readonly parameters: readonly Field[];
  /** The values of the last bind; what is opened next uses them. */
  bound: readonly ParameterValue[] | undefined;
  /** Where the engine holds it prepared. Other connections prepare it again. */
  on: Preparation | undefined;
}

/** A statement as one connection of the engine holds it. It is freed once nobody uses it, so that a close never meets a running execute. */
export class Preparation {
  readonly connection: HeldConnection;
  readonly statement: EngineStatement;
  #users = 0;
  #unwanted = false;

  constructor(connection: HeldConnection, statement: EngineStatement) {
    this.connection = connection;
    this.statement = statement;
    connection.statements.add(statement);
  }

  use(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    this.#freeIfUnused();
  }

  close(): void {
    this.#unwanted = true;
    this.#freeIfUnused();
  }

  #freeIfUnused(): void {
    if (this.#unwanted && this.#users === 0 && this.connection.statements.delete(this.statement)) {
      this.statement.close();
    }
  }
}

/** Frees what the engine holds; the statement can still run, and is then prepared again. */
export function forgetPreparation(prepared: PreparedStatement): void {
  prepared.on?.close();
  prepared.on = undefined;
}

interface Entry {
  readonly prepared: PreparedStatement;
  usedMs: number;
}

/** The prepared statements of one session: the least recently used leaves when there are too many, the unused when their time is up. */
export class PreparedStatements {
  readonly #entries: Map<string, Entry> = new Map();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(prepared: PreparedStatement): void {
    this.#entries.set(prepared.id, { prepared, usedMs: this.#nowMs() });
    for (const [id] of this.#entries) {
      if (this.#entries.size <= PREPARED_PER_SESSION_MAX) {
        return;
      }
      this.close(id);
    }
  }

  /** Undefined when it was closed, was not used for too long, or gave way to others. */
  get(id: string): PreparedStatement | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      return undefined;
    }
    // Maps iterate in order of insertion: the first entry is the least recently used.
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.usedMs = this.#nowMs();
    return entry.prepared;
  }

  /** Idempotent. */
  close(id: string): void {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    if (entry !== undefined) {
      forgetPreparation(entry.prepared);
    }
  }

  sweep(): void {
    const expiredMs = this.#nowMs() - PREPARED_TTL_MS;
    for (const [id, entry] of this.#entries) {
      if (entry.usedMs > expiredMs) {
        return;
      }
      this.close(id);
    }
  }

  clear(): void {
    for (const id of [...this.#entries.keys()]) {
      this.close(id);
    }
  }
}

/** An id that is never shown to clients: their handles seal it. */
export function newStatementId(): string {
  return newId('stm');
}
