/** What `--ready-file` holds, and what commands beside a local mesh read to find it. */
export interface MeshReport {
  /** `grpc+tls://127.0.0.1:PORT` */
  readonly flightUri: string;
  readonly caFile: string;
  readonly apiUrl: string;
  /** `host:port` */
  readonly tunnelAddress: string;
  readonly username: string;
  /** As long as the file with the initial password exists. */
  readonly password?: string;
  /** Further gateways are `gateway-2` and so on. */
  readonly pids: {
    readonly controlApi: number;
    readonly gateway: number;
    readonly [further: `gateway-${number}`]: number;
    readonly worker: number;
  };
}

/** The name control-api gives the first principal. */
export const ADMIN = 'admin';
