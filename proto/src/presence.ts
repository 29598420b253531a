/** One worker's tunnel to one gateway process, as others may find it. Expires unless renewed. */
export interface Lease {
  readonly workerId: string;
  readonly tunnelId: string;
  readonly gatewayId: string;
  readonly pool: string;
  /** Tells one run of the worker's process from the next. */
  readonly bootId: string;
  /** Grows with every new tunnel of the worker; a lower epoch never replaces a higher one. */
  readonly epoch: number;
}
