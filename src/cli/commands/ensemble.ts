/** `vivarium ensemble`: several servers on this machine, one process each. */

import type { Argv, CommandModule } from 'yargs';
import { LocalEnsemble, type LocalServerStatus } from '../../../cluster/launch.ts';
import { zxidHex } from '../../base/ids.ts';
import { hasQuorum } from '../server-status.ts';
import { renderTable } from '../table.ts';
import { UsageError } from '../usage-error.ts';

interface EnsembleArguments {
  readonly action: Action;
  readonly id: number | undefined;
  readonly servers: number | undefined;
  readonly observers: number | undefined;
  readonly dir: string;
  readonly 'client-port': number | undefined;
  readonly detach: boolean;
  readonly json: boolean;
}

const ACTIONS = ['start', 'status', 'stop', 'kill', 'restart'] as const;
type Action = (typeof ACTIONS)[number];

const DEFAULT_DIR = './data/ensemble';
const SERVING_TIMEOUT_MS = 30_000;

/** `exit` receives the exit code: of `status` 1 when no server serves clients. */
export function ensembleCommand(
  exit: (code: number) => void,
): CommandModule<object, EnsembleArguments> {
  return {
    command: 'ensemble [action] [id]',
    describe: 'run a local ensemble, one process per server',
    builder: ensembleOptions,
    handler: async (given) => {
      switch (given.action) {
        case 'start':
          return await start(given);
        case 'status':
          return exit(await status(given));
        case 'stop':
          return await stop(given);
        case 'kill':
          return await kill(given);
        case 'restart':
          return await restart(given);
      }
    },
  };
}

function ensembleOptions(yargs: Argv<object>): Argv<EnsembleArguments> {
  return yargs
    .positional('action', { choices: ACTIONS, default: 'start' as Action, describe: 'what to do' })
    .positional('id', { type: 'number', describe: 'the server to kill or restart' })
    .option('servers', { type: 'number', describe: 'participants [3]' })
    .option('observers', { type: 'number', describe: 'observers beside them [0]' })
    .option('dir', {
      type: 'string',
      default: DEFAULT_DIR,
      describe: 'configurations, data, logs, and what runs',
    })
    .option('client-port', { type: 'number', describe: 'of server 1; the others count up [2181]' })
    .option('detach', { type: 'boolean', default: false, describe: 'return when all serve' })
    .option('json', { type: 'boolean', default: false, describe: 'print the status as JSON' })
    .example('$0 ensemble', 'three servers on ports 2181 to 2183, until Ctrl-C')
    .example('$0 ensemble kill 2', 'end server 2 without warning')
    .example('$0 ensemble restart 2', 'start it again on its data');
}

async function start(given: EnsembleArguments): Promise<void> {
  const { dir, servers, observers, detach, 'client-port': clientPort } = given;
  const interrupted = nextInterrupt();
  const ensemble = await LocalEnsemble.prepare({ directory: dir, servers, observers, clientPort });
  await ensemble.start();
  try {
    const serving = ensemble.waitUntilServing(SERVING_TIMEOUT_MS);
    const statuses = await Promise.race([serving, interrupted]);
    if (typeof statuses !== 'string') print(welcome(ensemble, statuses, given));
  } catch (error) {
    await ensemble.stop();
    throw error;
  }
  if (detach) {
    ensemble.release();
    return;
  }
  await follow(ensemble, interrupted, dirFlag(dir));
  print('stopping all servers\n');
  await ensemble.stop();
}

/** Reports servers that end, until Ctrl-C or until none runs. */
async function follow(
  ensemble: LocalEnsemble,
  interrupted: Promise<string>,
  flag: string,
): Promise<void> {
  while (ensemble.running.length > 0) {
    const event = await Promise.race([interrupted, ensemble.nextEnd()]);
    if (typeof event === 'string') return;
    print(`${event.sentence}; start it again with: vivarium ensemble restart ${event.id}${flag}\n`);
  }
  print('no server runs any more\n');
}

/** What a command about this ensemble must repeat. */
function dirFlag(dir: string): string {
  return dir === DEFAULT_DIR ? '' : ` --dir ${dir}`;
}

function nextInterrupt(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => resolve(name));
    }
  });
}

function welcome(
  ensemble: LocalEnsemble,
  statuses: readonly LocalServerStatus[],
  { detach, dir }: EnsembleArguments,
): string {
  const leader = statuses.find(({ role }) => role === 'leader');
  const { directory, servers } = ensemble.layout;
  const verdict =
    leader === undefined ? `${statuses.length} servers serve` : `server ${leader.id} leads`;
  const port = servers[0]?.clientPort;
  const after = detach
    ? `stop them with        vivarium ensemble stop${dirFlag(dir)}\n`
    : 'stop them with        Ctrl-C\n';
  return (
    `${verdict}\n\n${statusTable(statuses)}\n` +
    `connect a client with zkCli.sh -server ${ensemble.connectString}\n` +
    `ask a server with     echo stat | nc 127.0.0.1 ${port} | grep Mode\n` +
    `data and logs are in  ${directory}/server.N\n${after}`
  );
}

async function status({ dir, json }: EnsembleArguments): Promise<number> {
  const statuses = await LocalEnsemble.open(dir).status();
  if (json) print(`${JSON.stringify(statuses.map(jsonStatus), null, 2)}\n`);
  else print(statusTable(statuses));
  return hasQuorum(statuses) ? 0 : 1;
}

async function stop({ dir }: EnsembleArguments): Promise<void> {
  const stopped = await LocalEnsemble.open(dir).stop();
  print(stopped.length === 0 ? 'no server runs\n' : `stopped servers ${stopped.join(', ')}\n`);
}

async function kill(given: EnsembleArguments): Promise<void> {
  const id = requiredId(given);
  const pid = await LocalEnsemble.open(given.dir).kill(id);
  print(`killed server ${id} (pid ${pid})\n`);
}

async function restart(given: EnsembleArguments): Promise<void> {
  const id = requiredId(given);
  const ensemble = LocalEnsemble.open(given.dir);
  await ensemble.restart(id);
  ensemble.release();
  print(`started server ${id}\n`);
}

function requiredId({ action, id }: EnsembleArguments): number {
  if (id !== undefined && Number.isInteger(id)) return id;
  throw new UsageError(`ensemble ${action} needs the number of a server, for example 2`);
}

function statusTable(statuses: readonly LocalServerStatus[]): string {
  const rows = statuses.map((server) => [
    String(server.id),
    server.role,
    String(server.port),
    server.zxid === undefined ? '-' : zxidHex(server.zxid),
    server.pid === undefined ? '-' : String(server.pid),
  ]);
  return renderTable([['id', 'role', 'port', 'zxid', 'pid'], ...rows]);
}

function jsonStatus({ address: _, zxid, ...server }: LocalServerStatus): object {
  return { ...server, zxid: zxid === undefined ? undefined : zxidHex(zxid) };
}

function print(text: string): void {
  process.stdout.write(text);
}
