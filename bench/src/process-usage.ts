import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What one process and everything it started have used. */
export interface ProcessUsage {
  readonly cpuS: number;
  readonly peakRssBytes: number;
}

// USER_HZ: what /proc counts in on every Linux that Node runs on.
const TICKS_PER_SECOND = 100;
const KIBIBYTE = 1024;

/** Seconds on a processor, of all threads and of children that have been waited for, from the text of /proc/PID/stat. */
export function parseCpuS(stat: string): number {
  // The command's name may hold spaces and parentheses: fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks, childrenUserTicks, childrenSystemTicks] = fields.slice(11, 15).map(Number);
  const ticks =
    (userTicks ?? Number.NaN) + (systemTicks ?? Number.NaN) + (childrenUserTicks ?? Number.NaN) + (childrenSystemTicks ?? Number.NaN);
  if (Number.isNaN(ticks)) {
    throw new Error(`/proc/PID/stat cannot be read: ${stat.slice(0, 200)}`);
  }
  return ticks / TICKS_PER_SECOND;
}

/** A field of /proc/PID/status such as VmHWM, in bytes. */
export function parseStatusBytes(status: string, field: string): number | undefined {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * KIBIBYTE;
}

/** The process and its descendants; empty when it has ended. */
export function processTree(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
      const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
      return text === '' ? [] : text.split(' ').map(Number);
    });
  } catch {
    return [];
  }
}

/** The sum over the process and its descendants as of now. */
export function cpuSOf(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + cpuSOfOne(member), 0);
}

function cpuSOfOne(pid: number): number {
  const stat = readProc(pid, 'stat');
  return stat === undefined ? 0 : parseCpuS(stat);
}

/** The kernel's own record of the highest resident memory, since `resetPeak` where the kernel allows that. */
export function peakRssBytesOf(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + (parseStatusBytes(readProc(member, 'status') ?? '', 'VmHWM') ?? 0), 0);
}

export function rssBytesOf(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + (parseStatusBytes(readProc(member, 'status') ?? '', 'VmRSS') ?? 0), 0);
}

/** Forgets the peak so far (proc(5), clear_refs). False where this account may not: then resident memory must be polled. */
export function resetPeak(pid: number): boolean {
  try {
    for (const member of processTree(pid)) {
      writeFileSync(`/proc/${member}/clear_refs`, '5');
    }
    return true;
  } catch {
    return false;
  }
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
