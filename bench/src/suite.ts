import type { Peer } from './peer.ts';
import { workerDirectPeer, workerPlainPeer } from './peers/direct-worker.ts';
import { enginePeer, enginePythonPeer } from './peers/engine-process.ts';
import { flightServerPeer, flightServerTlsPeer } from './peers/flight-server.ts';
import { gizmoSqlPeer } from './peers/gizmosql.ts';
import { goProxyPeer } from './peers/go-proxy.ts';
import { goSqlitePeer } from './peers/go-sqlite.ts';
import { meshOfTwoGateways, meshPeer } from './peers/mesh.ts';
import { meshFar, meshNear } from './peers/mesh-delayed.ts';
import { nginxPeer } from './peers/nginx.ts';
import { postgresPeer } from './peers/postgres.ts';
import { pythonDuckDbPeer } from './peers/python-duckdb.ts';
import { quackPeer } from './peers/quack.ts';
import { relayMesh } from './peers/relay-mesh.ts';
import { relayDirect, relayGo, relayNginx, relayNginxPlain } from './peers/relay-proxies.ts';
import { stunnelPeer } from './peers/stunnel.ts';
import type { Scenario } from './scenario.ts';
import { bulkScenarios } from './scenarios/bulk.ts';
import { connectScenario } from './scenarios/connect.ts';
import { delayBulk, delaySelect1 } from './scenarios/delay.ts';
import { engineIpc } from './scenarios/engine-ipc.ts';
import { eventLoop } from './scenarios/event-loop.ts';
import { gatewaysScenario } from './scenarios/gateways.ts';
import { idleClientsScenario, idleScenario } from './scenarios/idle.ts';
import { idleTunnelsScenario } from './scenarios/idle-tunnels.ts';
import { ingestScenario } from './scenarios/ingest.ts';
import { jdbcScenario } from './scenarios/jdbc.ts';
import { lookupsScenario, preparedLookupsScenario } from './scenarios/lookups.ts';
import { metadataScenario } from './scenarios/metadata.ts';
import { relayScenario } from './scenarios/relay.ts';
import { select1 } from './scenarios/select-1.ts';
import { tpch } from './scenarios/tpch.ts';

export const peers: readonly Peer[] = [
  meshPeer,
  workerDirectPeer,
  workerPlainPeer,
  flightServerPeer,
  flightServerTlsPeer,
  nginxPeer,
  stunnelPeer,
  gizmoSqlPeer,
  quackPeer,
  postgresPeer,
  goSqlitePeer,
  goProxyPeer,
  pythonDuckDbPeer,
  enginePeer,
  enginePythonPeer,
  meshOfTwoGateways,
  meshFar,
  meshNear,
  relayMesh,
  relayNginx,
  relayNginxPlain,
  relayGo,
  relayDirect,
];

export const scenarios: readonly Scenario[] = [
  select1,
  ...bulkScenarios,
  eventLoop,
  engineIpc,
  tpch,
  relayScenario,
  delaySelect1,
  delayBulk,
  lookupsScenario,
  preparedLookupsScenario,
  ingestScenario,
  metadataScenario,
  jdbcScenario,
  connectScenario,
  idleScenario,
  idleClientsScenario,
  idleTunnelsScenario,
  gatewaysScenario,
];
