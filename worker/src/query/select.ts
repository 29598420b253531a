import type { Table } from 'apache-arrow';
import type { EngineConnection, ParameterValue, ResultFrame } from '../engine/engine.ts';
import { tableOfFrames } from './decode-frames.ts';

/** Runs a query of our own, whose answer is small, on a connection that nobody else uses meanwhile. */
export async function selectTable(connection: EngineConnection, sql: string, values: readonly ParameterValue[] = []): Promise<Table> {
  const statement = await connection.prepare(sql);
  try {
    statement.bind(values);
    const result = await statement.execute('stored');
    try {
      const frames: ResultFrame[] = [];
      for (let frame = await result.next(); frame !== undefined; frame = await result.next()) {
        frames.push(frame);
      }
      return tableOfFrames(result.schema, frames);
    } finally {
      await result.close();
    }
  } finally {
    statement.close();
  }
}
