/** What `vivarium bench` is asked for. */

import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Address } from '../runtime/runtime.ts';
import { apacheKind, ownProgram, vivariumKind } from './server-kinds.ts';
import type { ServerKind } from './target.ts';
import { type LoadOptions, WORKLOADS, type Workload, workloadName } from './workloads.ts';

/** What was asked for makes no sense; `message` says what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
  readonly exitCode = 2;
}

export const MODES = ['load', 'failover', 'checkpoint', 'tree', 'report'] as const;
export type Mode = (typeof MODES)[number];

/** The options as they stand on the command line; undefined: not given. */
export interface BenchArguments {
  readonly mode?: string | undefined;
  /** Of `report`. */
  readonly files?: readonly string[] | undefined;
  readonly servers?: string | undefined;
  readonly against?: string | undefined;
  readonly pids?: string | undefined;
  readonly 'against-pids'?: string | undefined;
  readonly targets?: string | undefined;
  readonly members?: string | undefined;
  readonly rounds?: number | undefined;
  readonly quick?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly only?: string | undefined;
  readonly connections?: number | undefined;
  readonly depth?: number | undefined;
  readonly size?: number | undefined;
  readonly keys?: number | undefined;
  readonly watchers?: number | undefined;
  readonly rate?: number | undefined;
  readonly seconds?: number | undefined;
  readonly warmup?: number | undefined;
  readonly writers?: number | undefined;
  readonly nodes?: number | undefined;
  readonly 'snap-count'?: number | undefined;
  readonly dir?: string | undefined;
  readonly json?: string | undefined;
  readonly svg?: string | undefined;
  readonly profile?: string | undefined;
}

/** Servers that run already. */
export interface RunningServers {
  readonly name: string;
  readonly addresses: readonly Address[];
  /** Undefined: to be found by the ports that they listen on. */
  readonly pids: readonly number[] | undefined;
}

export interface BenchOptions {
  readonly mode: Mode;
  readonly files: readonly string[];
  /** Of `report`: the targets it shows; undefined: all. */
  readonly shown: readonly string[] | undefined;
  /** Unless in `report`, either these are measured, */
  readonly running: readonly RunningServers[];
  /** or these, which are started for it, in ensembles of each of the sizes. */
  readonly kinds: readonly ServerKind[];
  readonly serverCounts: readonly number[];
  readonly rounds: number;
  readonly workloads: readonly Workload[];
  readonly load: LoadOptions;
  readonly writers: number;
  readonly trialSeconds: number;
  /** Nodes of the tree of `tree` and `checkpoint`. */
  readonly nodes: number;
  readonly snapCount: number;
  readonly directory: string;
  readonly jsonFile: string | undefined;
  readonly svgFile: string | undefined;
  readonly profileDirectory: string | undefined;
}

const DEFAULT_PORT = 2181;
const DEFAULT_ROUNDS = 3;
/** Of writes while checkpoints are written: what both kinds of servers manage with ease. */
const CHECKPOINT_RATE = 5000;

/** Throws a `UsageError`. */
export function parseOptions(given: BenchArguments): BenchOptions {
  const mode = modeOf(given.mode ?? 'load');
  const profileDirectory = given.profile === undefined ? undefined : path.resolve(given.profile);
  const running = runningServers(given);
  if (running.length > 0 && given.targets !== undefined) {
    throw new UsageError('--targets are servers to start, --servers run already: give one of them');
  }
  const quick = given.quick ?? false;
  const targets = given.targets?.split(',');
  const started = running.length > 0 || mode === 'report' ? [] : (targets ?? ['vivarium']);
  return {
    mode,
    files: given.files ?? [],
    shown: mode === 'report' ? targets : undefined,
    running,
    kinds: started.map((text) => serverKind(text, profileDirectory)),
    serverCounts: serverCountsOf(given.members ?? (mode === 'failover' ? '3' : '1,3')),
    rounds: whole('rounds', given.rounds ?? (quick ? 1 : DEFAULT_ROUNDS)),
    workloads: chooseWorkloads(given),
    load: {
      connections: whole('connections', given.connections ?? 50),
      keys: whole('keys', given.keys ?? (mode === 'checkpoint' ? 20_000 : 1000)),
      watchers: whole('watchers', given.watchers ?? 1000),
      rate: rateOf(mode, given.rate),
      warmupSeconds: positive('warmup', given.warmup ?? (quick ? 0.5 : 1)),
      seconds: positive('seconds', given.seconds ?? windowSeconds(mode, quick)),
    },
    writers: whole('writers', given.writers ?? 10),
    trialSeconds: positive('seconds', given.seconds ?? 8),
    nodes: whole('nodes', given.nodes ?? 200_000),
    snapCount: whole('snap-count', given['snap-count'] ?? 10_000),
    directory: path.resolve(given.dir ?? tmpdir()),
    jsonFile: given.json,
    svgFile: given.svg,
    profileDirectory,
  };
}

function modeOf(text: string): Mode {
  const mode = MODES.find((name) => name === text);
  if (mode === undefined) throw new UsageError(`${text}: expected one of ${MODES.join(', ')}`);
  return mode;
}

function windowSeconds(mode: Mode, quick: boolean): number {
  if (mode === 'checkpoint') return quick ? 10 : 20;
  return quick ? 1.5 : 3;
}

function rateOf(mode: Mode, rate: number | undefined): number | undefined {
  if (rate !== undefined) return positive('rate', rate);
  return mode === 'checkpoint' ? CHECKPOINT_RATE : undefined;
}

function serverCountsOf(text: string): number[] {
  return text.split(',').map((count) => whole('members', Number(count)));
}

function runningServers(given: BenchArguments): RunningServers[] {
  const { servers, against } = given;
  if (servers === undefined) {
    if (against === undefined && given.pids === undefined) return [];
    throw new UsageError('--against and --pids belong to --servers host:port,...');
  }
  const first = {
    name: 'servers',
    addresses: addressesOf('servers', servers),
    pids: pidsOf(given.pids),
  };
  if (against === undefined) return [first];
  const addresses = addressesOf('against', against);
  return [first, { name: 'against', addresses, pids: pidsOf(given['against-pids']) }];
}

function addressesOf(option: string, text: string): Address[] {
  return text.split(',').map((part) => {
    const [, host, port] = /^(\[.+\]|[^:]+)(?::(\d+))?$/.exec(part) ?? [];
    const number = Number(port ?? DEFAULT_PORT);
    if (host === undefined || /^\d+$/.test(host) || number < 1 || number > 65_535) {
      throw new UsageError(`--${option} ${part}: expected host:port, for example 127.0.0.1:2181`);
    }
    return { host: host.replace(/^\[|\]$/g, ''), port: number };
  });
}

function pidsOf(text: string | undefined): number[] | undefined {
  return text?.split(',').map((pid) => whole('pids', Number(pid)));
}

/** The main ones, unless others are asked for; each once. */
function chooseWorkloads({ all, only, depth, size }: BenchArguments): Workload[] {
  const chosen = new Map<string, Workload>();
  for (const workload of WORKLOADS) {
    if (!workload.isMain && !all && only === undefined) continue;
    const changed = {
      ...workload,
      depth: depth === undefined ? workload.depth : whole('depth', depth),
      size: size === undefined ? workload.size : whole('size', size),
    };
    const name = workloadName(changed);
    if (pattern(only ?? '').test(name)) chosen.set(name, changed);
  }
  if (chosen.size === 0) {
    const names = WORKLOADS.map(workloadName).join(', ');
    throw new UsageError(`--only ${only}: matches none of ${names}`);
  }
  return [...chosen.values()];
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`--only ${text}: not a regular expression`);
  }
}

function serverKind(text: string, profileDirectory: string | undefined): ServerKind {
  if (text === 'apache') return apacheKind(text);
  if (text === 'vivarium') return vivariumKind(text, [ownProgram()], profileDirectory);
  const separator = text.indexOf('=');
  const words = text
    .slice(separator + 1)
    .split(' ')
    .filter(Boolean);
  const program = words.pop();
  if (separator < 1 || program === undefined) {
    throw new UsageError(
      `--targets ${text}: expected vivarium, apache or NAME=[NODE] [NODE-OPTIONS] FILE`,
    );
  }
  const name = text.slice(0, separator);
  const node = words[0]?.startsWith('-') === false ? words.shift() : undefined;
  const args = [...words, path.resolve(program)];
  return vivariumKind(name, args, profileDirectory, node && nodeAt(node));
}

/** Servers run in directories of their own; a bare name is looked up in PATH. */
function nodeAt(text: string): string {
  return text.includes('/') ? path.resolve(text) : text;
}

function whole(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`--${name}: expected a whole number above 0`);
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`--${name}: expected a number above 0`);
}
