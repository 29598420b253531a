/** `stage` is 'gateway', 'worker', 'nginx', 'server' …; children of the process are counted in. */
export interface ServerProcess {
  readonly stage: string;
  readonly pid: number;
}

/** How the load client reaches a server. `protocol` chooses the client library. */
export interface Target {
  readonly protocol: 'flight-sql' | 'flight' | 'duckdb' | 'postgres' | 'quack';
  /** grpc://…, grpc+tls://…, postgresql://…, path of a .duckdb file, quack:… */
  readonly uri: string;
  readonly username?: string;
  readonly password?: string;
  readonly caFile?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Puts a bare table name where this server keeps it, e.g. 'tpch.main.'; '' otherwise. */
  readonly tablePrefix: string;
  /** Of the way between two of its processes, where that was made long on purpose. */
  readonly roundTripMs?: number;
}

export interface RunningPeer {
  readonly target: Target;
  readonly processes: readonly ServerProcess[];
  stop(): Promise<void>;
}

export interface Peer {
  readonly name: string;
  readonly title: string;
  /** Throws PeerMissing with the reason when this machine cannot have it. */
  start(bench: Bench, signal: AbortSignal): Promise<RunningPeer>;
}

export class PeerMissing extends Error {}

/** Where things are. */
export interface Bench {
  readonly duckdbFile: string;
  readonly parquetDirectory: string;
  readonly temporary: string;
  readonly tools: Tools;
  readonly log: (line: string) => void;
}

/** What bootstrap found or installed; a tool that is undefined could not be had. */
export interface Tools {
  readonly python?: string;
  readonly goLoad?: string;
  readonly goProxy?: string;
  readonly goSqlite?: string;
  readonly jdbcClasspath?: string;
  readonly nginx?: string;
  readonly stunnel?: string;
  readonly postgresDirectory?: string;
  readonly gizmosql?: string;
}
