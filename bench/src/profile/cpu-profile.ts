/** What V8's sampling profiler writes, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** One function called from one place: calls of the same function by the same caller are one frame. */
export interface Frame {
  readonly name: string;
  readonly place: string;
  readonly selfMicros: number;
  readonly totalMicros: number;
  readonly children: readonly Frame[];
}

export interface FunctionCost {
  readonly name: string;
  readonly place: string;
  readonly selfMicros: number;
  /** With everything it calls; recursion is counted once. */
  readonly totalMicros: number;
}

export interface ProfileSummary {
  readonly root: Frame;
  /** Sampled time without idling. */
  readonly busyMicros: number;
  readonly wallMicros: number;
  /** Most self time first. */
  readonly functions: readonly FunctionCost[];
}

const IDLE = '(idle)';
// Starting and ending the profile is no cost of the process.
const PROFILER = /^node:inspector|\/profile\/preload\.ts$/;

/** The tree without idle time, and what each function cost by itself. */
export function summarize(profile: CpuProfile): ProfileSummary {
  const selfById = new Map<number, number>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    selfById.set(id, (selfById.get(id) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  }
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const [top] = profile.nodes;
  const root = top === undefined ? emptyFrame : frameOf([top], nodes, selfById);
  const functions = new Map<string, { name: string; place: string; selfMicros: number; totalMicros: number }>();
  collect(root, functions, new Set());
  return {
    root,
    busyMicros: root.totalMicros,
    wallMicros: profile.endTime - profile.startTime,
    functions: [...functions.values()].filter(({ name }) => name !== '(root)').sort((a, b) => b.selfMicros - a.selfMicros),
  };
}

const emptyFrame: Frame = { name: '(root)', place: '', selfMicros: 0, totalMicros: 0, children: [] };

function frameOf(same: readonly ProfileNode[], nodes: ReadonlyMap<number, ProfileNode>, selfById: ReadonlyMap<number, number>): Frame {
  const called = new Map<string, ProfileNode[]>();
  for (const id of same.flatMap(({ children }) => children ?? [])) {
    const node = nodes.get(id);
    if (node !== undefined && node.callFrame.functionName !== IDLE && !PROFILER.test(node.callFrame.url)) {
      const key = keyOf(node);
      called.set(key, [...(called.get(key) ?? []), node]);
    }
  }
  const children = [...called.values()]
    .map((group) => frameOf(group, nodes, selfById))
    .filter(({ totalMicros }) => totalMicros > 0)
    .sort((a, b) => b.totalMicros - a.totalMicros);
  const selfMicros = same.reduce((sum, { id }) => sum + (selfById.get(id) ?? 0), 0);
  const { name, place } = labelOf(same[0]);
  return { name, place, selfMicros, totalMicros: children.reduce((sum, { totalMicros }) => sum + totalMicros, selfMicros), children };
}

function collect(
  frame: Frame,
  into: Map<string, { name: string; place: string; selfMicros: number; totalMicros: number }>,
  above: ReadonlySet<string>,
): void {
  const key = `${frame.name} ${frame.place}`;
  const cost = into.get(key) ?? { name: frame.name, place: frame.place, selfMicros: 0, totalMicros: 0 };
  into.set(key, cost);
  cost.selfMicros += frame.selfMicros;
  cost.totalMicros += above.has(key) ? 0 : frame.totalMicros;
  const within = new Set([...above, key]);
  for (const child of frame.children) {
    collect(child, into, within);
  }
}

function keyOf({ callFrame }: ProfileNode): string {
  return `${callFrame.functionName}\n${callFrame.url}\n${callFrame.lineNumber}`;
}

function labelOf(node: ProfileNode | undefined): { readonly name: string; readonly place: string } {
  const { functionName = '', url = '', lineNumber = 0 } = node?.callFrame ?? {};
  return { name: functionName === '' ? '(anonymous)' : functionName, place: url === '' ? '' : `${shortened(url)}:${lineNumber + 1}` };
}

// Only the part that tells where in the repository, or in which package.
function shortened(url: string): string {
  const [, packaged] = /\/node_modules\/(.+)$/.exec(url) ?? [];
  const [, own] = /\/([^/]+\/src\/.+)$/.exec(url) ?? [];
  return packaged ?? own ?? url;
}
