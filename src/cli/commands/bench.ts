/** `vivarium bench`: loads of all kinds against running servers, or against servers it starts. */

import type { Argv, CommandModule, Options } from 'yargs';
import type { BenchArguments } from '../../bench/options.ts';

const WHAT =
  'load: throughput, CPU and latency of requests, events and sessions\n' +
  'failover: writers go on while the leader is killed\n' +
  'checkpoint: latency of writes while checkpoints are written beside a large tree\n' +
  'tree: creation of many nodes, and the memory they take\n' +
  'report: tables of FILES that --json wrote';

const SERVERS = 'What is measured:';
const LOADS = 'How:';
const RESULTS = 'Results:';

const OPTIONS = {
  servers: text(SERVERS, 'running servers: host:port,host:port,...'),
  against: text(SERVERS, 'others, measured in turn with them'),
  pids: text(SERVERS, 'processes of --servers (default: found by port, on this machine)'),
  'against-pids': text(SERVERS, 'processes of --against'),
  targets: text(
    SERVERS,
    'servers to start: vivarium, apache, NAME=FILE for another bin/vivarium.js, ' +
      "'NAME=[NODE] [NODE-OPTIONS] FILE' for another Node or options of it [vivarium]; " +
      'with report: names of the targets to show',
  ),
  members: text(SERVERS, 'sizes of the ensembles to start, one after the other [1,3; failover: 3]'),
  dir: text(SERVERS, 'where started servers keep their data meanwhile'),
  rounds: count(LOADS, 'runs of each load against each target, in turn [3]'),
  quick: { type: 'boolean', group: LOADS, describe: 'one round, short windows' },
  all: { type: 'boolean', group: LOADS, describe: 'more loads than the nine main ones' },
  only: text(LOADS, 'loads whose name matches this regular expression'),
  connections: count(LOADS, 'spread over all servers [50]'),
  depth: count(LOADS, "requests outstanding on each connection [the load's]"),
  size: count(LOADS, "bytes of data [the load's]"),
  keys: count(LOADS, 'nodes that reads and sets spread over [1000]'),
  watchers: count(LOADS, 'connections of the watch fan-out [1000]'),
  rate: count(
    LOADS,
    'requests in a second, whether or not others are answered; latency counts from when they were due',
  ),
  warmup: count(LOADS, 'seconds before a measured window [1]'),
  seconds: count(LOADS, 'of a measured window [3]; of a failover trial [8]'),
  writers: count(LOADS, 'of failover [10]'),
  nodes: count(LOADS, 'of the tree of tree and checkpoint [200000]'),
  'snap-count': count(LOADS, 'snapCount of servers started for checkpoint [10000]'),
  json: text(RESULTS, 'file for every run, one JSON object a line'),
  svg: text(RESULTS, 'file for a chart'),
  profile: text(
    RESULTS,
    'directory for CPU profiles of the windows, of servers that are not Apache',
  ),
} satisfies Readonly<Record<string, Options>>;

/** `exit` receives the exit code: 1 when a run failed. */
export function benchCommand(exit: (code: number) => void): CommandModule<object, BenchArguments> {
  return {
    command: 'bench [mode] [files..]',
    describe: 'measure servers under load, alone or two kinds in turn',
    builder: (yargs) => describeBench(yargs),
    handler: async (given) => {
      // Loaded on demand: a server has no use for it.
      const { parseOptions } = await import('../../bench/options.ts');
      const { runBench } = await import('../../bench/run.ts');
      exit(await runBench(parseOptions(given)));
    },
  };
}

function describeBench(yargs: Argv): Argv<BenchArguments> {
  return yargs
    .positional('mode', { type: 'string', describe: WHAT, default: 'load' })
    .positional('files', { type: 'string', array: true, describe: 'of report' })
    .options(OPTIONS)
    .example('$0 bench', 'this server, alone and as three')
    .example('$0 bench --servers zk1:2181,zk2:2181,zk3:2181 --only ^get', 'an ensemble that runs')
    .example('$0 bench --servers 127.0.0.1:2181 --against 127.0.0.1:2191', 'A B A B A B')
    .epilogue(
      'Everything is created below /vivarium-bench and removed again.\n' +
        'docs/benchmarks.md says what the figures mean.\n' +
        'Exit status: 0 done, 1 a run failed its checks, 2 wrong use.',
    );
}

function text(group: string, describe: string): Options & { readonly type: 'string' } {
  return { type: 'string', requiresArg: true, group, describe };
}

function count(group: string, describe: string): Options & { readonly type: 'number' } {
  return { type: 'number', requiresArg: true, group, describe };
}
