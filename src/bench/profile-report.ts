/** Reads a CPU profile of V8 and says where the time went. */

import path from 'node:path';

const LINES = 45;

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of nodes, one for each sample, and the microseconds since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Functions by their own time, callees left out: share of the window and µs for each operation. */
export function profileTop(profile: CpuProfile, operations: number): string {
  const names = new Map(profile.nodes.map((node) => [node.id, frameName(node)]));
  const selfUs = new Map<string, number>();
  for (const [at, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '?';
    selfUs.set(name, (selfUs.get(name) ?? 0) + (profile.timeDeltas[at] ?? 0));
  }
  const windowUs = profile.endTime - profile.startTime;
  const sorted = [...selfUs].sort((a, b) => b[1] - a[1]).slice(0, LINES);
  const lines = sorted.map(([name, us]) => {
    const share = ((us / windowUs) * 100).toFixed(1).padStart(5);
    return `${share} %  ${(us / operations).toFixed(2).padStart(7)} µs/op  ${name}`;
  });
  return `${lines.join('\n')}\n`;
}

function frameName({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame;
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('node:') ? url : path.basename(url);
  return `${name}  ${file}:${lineNumber + 1}`;
}
