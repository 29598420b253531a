import { type Ask, clientCpu, numberIn, withGoLoad } from '../go-load.ts';
import type { RunningPeer } from '../peer.ts';
import { cpuSOf } from '../process-usage.ts';
import type { Scenario } from '../scenario.ts';

const STREAM_MESSAGES = 400;
const STREAMS = 2;
const CALLS_ALONE = 1_500;
const CALLS_TOGETHER = 8_000;
const TOGETHER = 64;
const GIGABYTE = 1e9;
const MEGABYTE = 1e6;
const MICROS = 1e6;

/**
 * What standing between client and server costs, nothing else: 1 MB messages and small unary calls from memory, a raw HTTP/2 client, the same Go
 * upstream behind every relay. For ratios: `cpuPerGb` of relay-mesh / relay-nginx, `cpuPerRpc` (64 at once) of relay-mesh / relay-go.
 */
export const relayScenario: Scenario = {
  name: 'relay',
  title: 'Relay alone: 1 MB messages and unary calls from memory',
  peers: ['relay-mesh', 'relay-nginx', 'relay-nginx-plain', 'relay-go', 'relay-direct'],
  metrics: [
    { name: 'cpuPerGb', title: 'CPU of the relay per GB', unit: 's/GB', better: 'less' },
    { name: 'cpuPerRpcAlone', title: 'CPU of the relay per call, one at a time', unit: 'µs', better: 'less' },
    { name: 'cpuPerRpc', title: 'CPU of the relay per call, 64 at once', unit: 'µs', better: 'less' },
    { name: 'bytesPerS', title: 'streaming', unit: 'MB/s', better: 'more' },
    { name: 'p50Alone', title: 'latency p50, one at a time', unit: 'ms', better: 'less' },
    { name: 'perS', title: 'calls, 64 at once', unit: '1/s', better: 'more' },
    clientCpu(),
  ],
  run: ({ peer, bench, measured }) =>
    withGoLoad(bench, (ask) =>
      measured(async () => {
        const streamed = await costing(peer, () => ask('stream', { target: peer.target, messages: STREAM_MESSAGES, streams: STREAMS }));
        const alone = await unary(ask, peer, CALLS_ALONE, 1);
        const together = await unary(ask, peer, CALLS_TOGETHER, TOGETHER);
        const bytes = numberIn(streamed.answer, 'bytes');
        return {
          cpuPerGb: streamed.cpuS / (bytes / GIGABYTE),
          bytesPerS: bytes / MEGABYTE / numberIn(streamed.answer, 'seconds'),
          cpuPerRpcAlone: (alone.cpuS * MICROS) / CALLS_ALONE,
          p50Alone: numberIn(alone.answer, 'p50Ms'),
          cpuPerRpc: (together.cpuS * MICROS) / CALLS_TOGETHER,
          perS: CALLS_TOGETHER / numberIn(together.answer, 'seconds'),
          clientCpu: [streamed, alone, together].reduce((sum, { answer }) => sum + numberIn(answer, 'clientCpuS'), 0),
        };
      }),
    ),
};

function unary(ask: Ask, peer: RunningPeer, calls: number, concurrent: number) {
  return costing(peer, () => ask('unary', { target: peer.target, calls, concurrent }));
}

async function costing(peer: RunningPeer, work: () => Promise<Record<string, unknown>>) {
  const before = relayCpuS(peer);
  const answer = await work();
  return { answer, cpuS: relayCpuS(peer) - before };
}

function relayCpuS({ processes }: RunningPeer): number {
  return processes.filter(({ stage }) => stage === 'relay').reduce((sum, { pid }) => sum + cpuSOf(pid), 0);
}
