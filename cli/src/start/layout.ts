import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `gateway` and `gateway-2` and so on: the process, its folder in the data directory, and its files in `run`. */
export type GatewayName = 'gateway' | `gateway-${number}`;

export function gatewayNames(count: number): readonly GatewayName[] {
  return Array.from({ length: count }, (_, index): GatewayName => (index === 0 ? 'gateway' : `gateway-${index + 1}`));
}

/** Where everything is in a data directory. */
export interface Layout {
  readonly dataDir: string;
  readonly controlApi: string;
  readonly worker: string;
  readonly sample: string;
  readonly run: string;
  readonly lock: string;
  /** What runs now, for `jetbridge sql` and its siblings; there only while a mesh runs. */
  readonly mesh: string;
  /** Exists once the admin's password was printed. */
  readonly passwordShown: string;
  readonly caFile: string;
  readonly passwordFile: string;
}

export function layoutOf(dataDir: string): Layout {
  const run = join(dataDir, 'run');
  return {
    dataDir,
    controlApi: join(dataDir, 'control-api'),
    worker: join(dataDir, 'worker'),
    sample: join(dataDir, 'sample'),
    run,
    lock: join(run, 'lock'),
    mesh: join(run, 'mesh.json'),
    passwordShown: join(run, 'password-shown'),
    caFile: join(dataDir, 'ca.pem'),
    passwordFile: join(dataDir, 'control-api', 'initial-admin-password'),
  };
}

/** The admin's initial password, as long as its file is kept. */
export async function readPassword(layout: Layout): Promise<string | undefined> {
  const text = await readFile(layout.passwordFile, 'utf8').catch(() => undefined);
  return text?.trim();
}
