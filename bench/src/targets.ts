/** The median of one metric of one peer in one scenario. */
export interface Figure {
  readonly scenario: string;
  readonly peer: string;
  readonly metric: string;
}

/** A figure to compare with, times a factor: what a missing peer would have reached is known as a factor of another. */
export interface Reference extends Figure {
  readonly factor?: number;
}

interface Goals {
  readonly better: 'less' | 'more';
  readonly target: number;
  readonly stretch: number;
}

/** A row of the table of goals. Without references, the figure itself is compared with the target. */
export interface Target extends Goals {
  readonly name: string;
  readonly title: string;
  readonly numerator: Figure;
  /** The first that was measured counts. */
  readonly denominators: readonly Reference[];
  /** What is known of a peer that cannot be had: counts when no denominator was measured. */
  readonly known?: { readonly value: number; readonly title: string };
  readonly unit: string;
}

const MEGABYTE = 1e6;

function of(scenario: string, peer: string, metric: string): Figure {
  return { scenario, peer, metric };
}

function ratio(name: string, title: string, numerator: Figure, denominators: readonly Reference[], goals: Goals): Target {
  return { name, title, numerator, denominators, unit: '', ...goals };
}

function absolute(name: string, title: string, numerator: Figure, unit: string, goals: Goals): Target {
  return { name, title, numerator, denominators: [], unit, ...goals };
}

const atLeast = (target: number, stretch: number): Goals => ({ better: 'more', target, stretch });
const atMost = (target: number, stretch: number): Goals => ({ better: 'less', target, stretch });

/** One line for each goal, in the order of the report. */
export const targets: readonly Target[] = [
  ratio(
    'worker-bulk',
    'Worker direct, TLS, bulk lineitem / GizmoSQL TLS',
    of('bulk-lineitem', 'worker-direct', 'rowsPerS'),
    [of('bulk-lineitem', 'gizmosql', 'rowsPerS'), { ...of('bulk-lineitem', 'flight-server', 'rowsPerS'), factor: 0.7 }],
    atLeast(1.3, 1.6),
  ),
  ratio(
    'mesh-bulk-nginx',
    'Bulk lineitem through the mesh / 40-line server behind nginx grpc_pass',
    of('bulk-lineitem', 'mesh', 'rowsPerS'),
    [of('bulk-lineitem', 'nginx', 'rowsPerS')],
    atLeast(1, 1.3),
  ),
  ratio(
    'mesh-bulk-stunnel',
    'Bulk lineitem through the mesh / 40-line server behind a stunnel pair',
    of('bulk-lineitem', 'mesh', 'rowsPerS'),
    [of('bulk-lineitem', 'stunnel', 'rowsPerS')],
    atLeast(1, 1.3),
  ),
  ratio(
    'relay-cpu',
    'Relay CPU per GB (TLS client, mTLS tunnel) / nginx grpc_pass',
    of('relay', 'relay-mesh', 'cpuPerGb'),
    [of('relay', 'relay-nginx', 'cpuPerGb')],
    atMost(1.3, 1),
  ),
  ratio(
    'relay-rpc',
    'Relay CPU per unary RPC / Go ReverseProxy',
    of('relay', 'relay-mesh', 'cpuPerRpc'),
    [of('relay', 'relay-go', 'cpuPerRpc')],
    atMost(1.5, 1),
  ),
  ratio(
    'select-1',
    'SELECT 1 through the mesh / GizmoSQL direct, pyarrow on both sides',
    of('select-1', 'mesh', 'pyarrowP50'),
    [of('select-1', 'gizmosql', 'pyarrowP50'), { ...of('select-1', 'flight-server', 'pyarrowP50'), factor: 4.4 }],
    atMost(1, 0.7),
  ),
  // The factor of 4.4 was measured with ADBC at GizmoSQL and pyarrow at the 40-line server: this row is the same comparison.
  ratio(
    'select-1-adbc',
    'SELECT 1 through the mesh / GizmoSQL direct, ADBC with one cursor',
    of('select-1', 'mesh', 'preparedP50'),
    [of('select-1', 'gizmosql', 'preparedP50'), { ...of('select-1', 'flight-server', 'pyarrowP50'), factor: 4.4 }],
    atMost(1, 0.7),
  ),
  absolute(
    'select-1-50ms',
    'SELECT 1 over a 50 ms tunnel, in round trips of the tunnel',
    of('delay-select-1', 'mesh-50ms', 'roundTrips'),
    'round trips',
    atMost(2.2, 2),
  ),
  ratio(
    'lookups-16',
    'Point lookups of 16 clients through the mesh / GizmoSQL direct',
    of('lookups', 'mesh', 'perS'),
    [of('lookups', 'gizmosql', 'perS'), { ...of('lookups', 'flight-server', 'perS'), factor: 0.34 }],
    atLeast(1, 1.5),
  ),
  ratio(
    'bulk-50ms',
    'Bulk over a 50 ms tunnel / over a 0 ms tunnel',
    of('delay-bulk', 'mesh-50ms', 'rowsPerS'),
    [of('delay-bulk', 'mesh-0ms', 'rowsPerS')],
    atLeast(0.8, 0.95),
  ),
  ratio(
    'engine-ipc',
    'DuckDB to Arrow IPC, CPU per GB / Python duckdb with pyarrow',
    of('engine-ipc', 'engine', 'cpuPerGb:engine'),
    [of('engine-ipc', 'engine-python', 'cpuPerGb:engine')],
    atMost(1.1, 0.9),
  ),
  ratio(
    'tpch',
    'TPC-H Q1–22 through the mesh / in-process',
    of('tpch', 'mesh', 'total'),
    [of('tpch', 'python-duckdb', 'total')],
    atMost(1.1, 1.03),
  ),
  absolute(
    'stall-worker',
    'Longest event-loop stall in the worker under bulk load',
    of('event-loop', 'mesh', 'workerStall'),
    'ms',
    atMost(15, 5),
  ),
  absolute(
    'stall-gateway',
    'Longest event-loop stall in the gateway under bulk load',
    of('event-loop', 'mesh', 'gatewayStall'),
    'ms',
    atMost(15, 5),
  ),
  {
    ...ratio(
      'worker-peak',
      'Worker peak RSS in bulk / GizmoSQL',
      of('bulk-lineitem', 'worker-direct', 'rss:worker'),
      [of('bulk-lineitem', 'gizmosql', 'rss:server')],
      atMost(1, 0.7),
    ),
    known: { value: 320 * MEGABYTE, title: '320 MB, as GizmoSQL was measured once' },
  },
  absolute('worker-idle', 'Worker idle RSS', of('idle', 'mesh', 'workerIdleRss'), 'B', atMost(120 * MEGABYTE, 100 * MEGABYTE)),
  absolute('tunnel-idle', 'Idle tunnel at the gateway', of('idle-tunnels', 'mesh', 'bytesPerTunnel'), 'B', atMost(80_000, 50_000)),
];
