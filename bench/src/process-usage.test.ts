import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import t from 'tap';
import { cpuSOf, parseCpuS, parseStatusBytes, peakRssBytesOf, processTree } from './process-usage.ts';

t.test('CPU seconds are user, system, and those of children that ended', async (t) => {
  const rest = '0 0 20 0 11 0 1 2 3';
  t.equal(parseCpuS(`12 (node) S 1 1 1 0 -1 0 0 0 0 0 250 50 10 5 ${rest}`), 3.15);
  t.equal(parseCpuS(`12 (a ) b (c) S 1 1 1 0 -1 0 0 0 0 0 100 0 0 0 ${rest}`), 1);
  t.throws(() => parseCpuS('12 (node) S 1'), /cannot be read/);
});

t.test('memory fields are in bytes', async (t) => {
  const status = 'Name:\tnode\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n';
  t.equal(parseStatusBytes(status, 'VmHWM'), 2 * 1024 * 1024);
  t.equal(parseStatusBytes(status, 'VmRSS'), 1024 * 1024);
  t.equal(parseStatusBytes(status, 'VmSwap'), undefined);
});

t.test('a process is measured with its children', { skip: process.platform !== 'linux' }, async (t) => {
  // Work that the child does: at least a tenth of a second on a processor, however fast it is.
  const busy =
    'const end = process.cpuUsage().user + 100_000; while (process.cpuUsage().user < end); console.log("done"); setInterval(() => {}, 1000)';
  const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(busy)}], { stdio: 'inherit' })`;
  const child = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = child.pid ?? 0;
  t.teardown(() => {
    for (const member of [...processTree(pid)].reverse()) {
      process.kill(member, 'SIGKILL');
    }
  });
  await once(child.stdout as Readable, 'data');
  t.equal(processTree(pid).length, 2);
  t.ok(cpuSOf(pid) >= 0.1, 'the work of the child counts');
  t.ok(peakRssBytesOf(pid) > 20 * 1024 * 1024, 'two Node processes');
});
