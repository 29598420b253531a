/** The names here do not begin with JETBRIDGE_: those stop at the supervisor. */
const DIRECTORY = 'BENCH_PROFILE_DIRECTORY';

/** Where a process that is being profiled writes; undefined when it is not. */
export function profileDirectory(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env[DIRECTORY];
}

/** From now on every Node process started from here can be profiled. */
export function profileChildren(directory: string, preload: URL, env: NodeJS.ProcessEnv = process.env): void {
  env[DIRECTORY] = directory;
  env.NODE_OPTIONS = `${env.NODE_OPTIONS ?? ''} --import=${preload.href}`.trim();
}

/** What a process needs in its environment to be one of them; nothing when nobody profiles. */
export function profilingEnvironment(env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  const { [DIRECTORY]: directory, NODE_OPTIONS = '' } = env;
  return directory === undefined ? {} : { [DIRECTORY]: directory, NODE_OPTIONS };
}
