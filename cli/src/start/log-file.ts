import { open, rename, stat } from 'node:fs/promises';
import { LOG_KEEP_BYTES, LOG_LINE_CHARACTERS, LOG_MAX_BYTES, LOG_TAIL_BYTES } from '../limits.ts';

/** Keeps the log of the previous start as `FILE.1` and begins a new one. */
export async function rotateLog(file: string): Promise<void> {
  await rename(file, `${file}.1`).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
  });
  await (await open(file, 'w', 0o600)).close();
}

/** Cuts a log that grew too large down to its end. Its writer appends, so it goes on after what is kept. */
export async function boundLog(file: string, maxBytes = LOG_MAX_BYTES, keepBytes = LOG_KEEP_BYTES): Promise<void> {
  const { size } = await stat(file);
  if (size <= maxBytes) {
    return;
  }
  const kept = await readEnd(file, keepBytes);
  await using handle = await open(file, 'r+');
  await handle.truncate(0);
  await handle.write(kept.subarray(kept.indexOf(0x0a) + 1), 0, undefined, 0);
}

/** The last lines, made readable: what a person needs to see why a process failed. */
export async function tailLog(file: string, lines: number): Promise<readonly string[]> {
  const text = (await readEnd(file, LOG_TAIL_BYTES).catch(() => Buffer.alloc(0))).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-lines)
    .map((line) => readableLine(line).slice(0, LOG_LINE_CHARACTERS));
}

async function readEnd(file: string, bytes: number): Promise<Buffer> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const length = Math.min(size, bytes);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.subarray(0, bytesRead);
}

const LEVELS: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const HIDDEN = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err', 'name', 'v']);

/** A JSON log line as `level message (error) field=value`; any other line as it is. */
function readableLine(line: string): string {
  if (!line.startsWith('{')) {
    return line;
  }
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    const level = typeof entry.level === 'number' ? (LEVELS[entry.level] ?? '') : String(entry.level ?? '');
    const fields = Object.entries(entry).filter(([key]) => !HIDDEN.has(key));
    return [level, String(entry.msg ?? ''), errorOf(entry.err), ...fields.map(([key, value]) => `${key}=${JSON.stringify(value)}`)]
      .filter((part) => part !== '')
      .join(' ');
  } catch {
    return line;
  }
}

function errorOf(err: unknown): string {
  const message = typeof err === 'object' && err !== null && 'message' in err ? err.message : undefined;
  return typeof message === 'string' ? `(${message})` : '';
}
