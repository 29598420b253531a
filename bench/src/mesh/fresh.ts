import type { Bench, Peer, RunningPeer } from '../peer.ts';
import { flightServerPeer } from '../peers/flight-server.ts';
import { gizmoSqlPeer } from '../peers/gizmosql.ts';
import { meshPeer } from '../peers/mesh.ts';
import { quackPeer } from '../peers/quack.ts';

/** Another one of the same kind, for what only a process without a past can show. */
export function startFresh(running: RunningPeer, bench: Bench, signal: AbortSignal): Promise<RunningPeer> {
  return kindOf(running).start(bench, signal);
}

function kindOf({ target, processes }: RunningPeer): Peer {
  if (processes.some(({ stage }) => stage === 'gateway')) {
    return meshPeer;
  }
  switch (target.protocol) {
    case 'flight':
      return flightServerPeer;
    case 'quack':
      return quackPeer;
    default:
      return gizmoSqlPeer;
  }
}
