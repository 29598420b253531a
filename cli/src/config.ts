import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** What the command line takes from its environment. Flags always win. */
export interface Environment {
  readonly dataDir: string;
  readonly accessToken: string | undefined;
  readonly password: string | undefined;
  readonly historyFile: string;
}

/** Relative to the working directory, so that `npm start` in a clone keeps its state in that clone. */
export const DEFAULT_DATA_DIR = './jetbridge-data';

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  return {
    dataDir: resolve(textOf(env.JETBRIDGE_DATA_DIR) ?? DEFAULT_DATA_DIR),
    accessToken: textOf(env.JETBRIDGE_TOKEN),
    password: textOf(env.JETBRIDGE_PASSWORD),
    historyFile: historyFile(env),
  };
}

/** The environment of a child: ours without the settings of Jetbridge, so that a setting meant for one process reaches no other. */
export function childEnvironment(settings: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const inherited = Object.entries(env).filter(([name]) => !name.startsWith('JETBRIDGE_') || INHERITED.has(name));
  return { ...Object.fromEntries(inherited), ...settings };
}

/** Makes flags of `jetbridge worker` and its siblings visible to the configuration of the process that is about to run here. */
export function applySettings(settings: Readonly<Record<string, string>>): void {
  Object.assign(process.env, settings);
}

const INHERITED = new Set(['JETBRIDGE_LOG_LEVEL', 'JETBRIDGE_ENGINE_MEMORY', 'JETBRIDGE_ENGINE_THREADS', 'JETBRIDGE_CA_KEK_FILE']);

function textOf(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** The XDG state folder when there is one, else the home directory. */
function historyFile(env: NodeJS.ProcessEnv): string {
  const state = textOf(env.XDG_STATE_HOME);
  return state === undefined ? join(homedir(), '.jetbridge_history') : join(state, 'jetbridge', 'history');
}
