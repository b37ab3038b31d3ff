/** The command line of the bench. */

import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { apacheKind, ownProgram, vivariumKind } from './server-kinds.ts';
import type { ServerKind } from './target.ts';
import { type LoadOptions, WORKLOADS, type Workload, workloadName } from './workloads.ts';

export const USAGE = `npm run bench -- [load|failover] [options]

load: throughput, CPU and latency of get, set and create (the default)
failover: writers go on while the leader is killed with SIGKILL

  --targets A,B      vivarium, apache, or NAME=FILE for another bin/vivarium.js; words in front
                     of FILE are options of Node's: 'large=--max-semi-space-size=64 bin/vivarium.js'
                     (default vivarium,apache; ratios are the first to the second)
  --servers N,M      sizes of the ensembles, one after the other (default 1,3; failover 3)
  --rounds N         runs of each load against each target, in turn (default 3)
  --quick            fewer loads, shorter windows
  --only REGEXP      only loads whose name matches
  --connections N    default 50, spread over all servers
  --depth N          requests outstanding on each connection, instead of the loads' own
  --size N           bytes of data, instead of the loads' own
  --keys N           nodes that reads and sets spread over (default 1000)
  --seconds N        measured window (default 3, quick 1.5; failover: length of a trial, default 16)
  --warmup N         seconds before it (default 1, quick 0.5)
  --writers N        failover only (default 10)
  --dir DIR          where servers keep their data while they run (default: the temporary directory)
  --json FILE        every run, one JSON object a line
  --profile DIR      CPU profiles of the windows of every server that is not Apache's
`;

/** What was asked for makes no sense; `message` says what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

export interface BenchOptions {
  readonly mode: 'load' | 'failover';
  readonly targets: readonly ServerKind[];
  readonly serverCounts: readonly number[];
  readonly rounds: number;
  readonly workloads: readonly Workload[];
  readonly load: LoadOptions;
  readonly writers: number;
  readonly trialSeconds: number;
  readonly directory: string;
  readonly jsonFile: string | undefined;
  readonly profileDirectory: string | undefined;
}

const SPEC = {
  targets: { type: 'string', default: 'vivarium,apache' },
  servers: { type: 'string' },
  rounds: { type: 'string', default: '3' },
  quick: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  connections: { type: 'string', default: '50' },
  depth: { type: 'string' },
  size: { type: 'string' },
  keys: { type: 'string', default: '1000' },
  seconds: { type: 'string' },
  warmup: { type: 'string' },
  writers: { type: 'string', default: '10' },
  dir: { type: 'string', default: tmpdir() },
  json: { type: 'string' },
  profile: { type: 'string' },
} as const;

/** Throws a `UsageError`, also for options that do not exist. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const mode = positionals[0] ?? 'load';
  if ((mode !== 'load' && mode !== 'failover') || positionals.length > 1) {
    throw new UsageError(`${positionals.join(' ')}: expected load or failover`);
  }
  const servers = values.servers ?? (mode === 'load' ? '1,3' : '3');
  const profileDirectory = values.profile === undefined ? undefined : path.resolve(values.profile);
  return {
    mode,
    targets: values.targets.split(',').map((text) => serverKind(text, profileDirectory)),
    serverCounts: servers.split(',').map((text) => positive('servers', text)),
    rounds: positive('rounds', values.rounds),
    workloads: chooseWorkloads(values),
    load: {
      connections: positive('connections', values.connections),
      keys: positive('keys', values.keys),
      warmupSeconds: positive('warmup', values.warmup ?? (values.quick ? '0.5' : '1')),
      seconds: positive('seconds', values.seconds ?? (values.quick ? '1.5' : '3')),
    },
    writers: positive('writers', values.writers),
    trialSeconds: positive('seconds', values.seconds ?? '16'),
    directory: path.resolve(values.dir),
    jsonFile: values.json,
    profileDirectory,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: SPEC, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

interface WorkloadFlags {
  readonly quick: boolean;
  readonly only: string;
  readonly depth?: string | undefined;
  readonly size?: string | undefined;
}

function chooseWorkloads({ quick, only, depth, size }: WorkloadFlags): Workload[] {
  const chosen = new Map<string, Workload>();
  for (const workload of WORKLOADS) {
    if (quick && !workload.isQuick) continue;
    const changed = {
      ...workload,
      depth: depth === undefined ? workload.depth : positive('depth', depth),
      size: size === undefined ? workload.size : positive('size', size),
    };
    const name = workloadName(changed);
    if (new RegExp(only).test(name)) chosen.set(name, changed);
  }
  if (chosen.size === 0) {
    const names = WORKLOADS.map(workloadName).join(', ');
    throw new UsageError(`--only ${only}: matches none of ${names}`);
  }
  return [...chosen.values()];
}

function serverKind(text: string, profileDirectory: string | undefined): ServerKind {
  if (text === 'apache') return apacheKind(text);
  if (text === 'vivarium') return vivariumKind(text, [ownProgram()], profileDirectory);
  const separator = text.indexOf('=');
  const words = text.slice(separator + 1).split(' ');
  const program = words.pop();
  if (separator < 1 || program === undefined || program === '') {
    throw new UsageError(`--targets ${text}: expected vivarium, apache or NAME=FILE`);
  }
  const name = text.slice(0, separator);
  return vivariumKind(name, [...words, path.resolve(program)], profileDirectory);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`--${name} ${text}: expected a number above 0`);
}
