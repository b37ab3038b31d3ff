/** `vivarium ensemble`: several servers on this machine, one process each. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Argv, CommandModule } from 'yargs';
import { parseHosts, writeDeployment } from '../../../cluster/deployment.ts';
import { LocalEnsemble, type LocalServerStatus } from '../../../cluster/launch.ts';
import { zxidHex } from '../../base/ids.ts';
import { LiveTable } from '../live-table.ts';
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
  readonly watch: boolean;
  readonly hosts: string | undefined;
  readonly 'data-dir': string;
}

const ACTIONS = [
  'start',
  'status',
  'stop',
  'kill',
  'restart',
  'add-observer',
  'configure',
] as const;
type Action = (typeof ACTIONS)[number];

const DEFAULT_DIR = './data/ensemble';
const SERVING_TIMEOUT_MS = 30_000;
const REFRESH_MS = 1000;
const CLIENT_PORT = 2181;

/** `exit` receives the exit code: of `status` 1 when no server serves clients. */
export function ensembleCommand(
  exit: (code: number) => void,
): CommandModule<object, EnsembleArguments> {
  return {
    command: 'ensemble [action] [id]',
    describe: 'run a local ensemble, one process per server',
    builder: ensembleOptions,
    handler: async (given) => {
      try {
        exit(await act(given));
      } catch (error) {
        if (!isOfFile(error)) throw error;
        throw new UsageError(`${error.message}: give a --dir in which this user may write`, 1);
      }
    },
  };
}

/** Resolves to the exit code. */
async function act(given: EnsembleArguments): Promise<number> {
  switch (given.action) {
    case 'start':
      await start(given);
      return 0;
    case 'status':
      return await status(given);
    case 'stop':
      await stop(given);
      return 0;
    case 'kill':
      await kill(given);
      return 0;
    case 'restart':
      await restart(given);
      return 0;
    case 'add-observer':
      await addObserver(given);
      return 0;
    case 'configure':
      configure(given);
      return 0;
  }
}

/** The machine refused a file of the ensemble's directory. */
function isOfFile(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

function ensembleOptions(yargs: Argv<object>): Argv<EnsembleArguments> {
  return yargs
    .positional('action', { choices: ACTIONS, default: 'start' as Action, describe: 'what to do' })
    .positional('id', { type: 'number', describe: 'the server to stop, kill or restart' })
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
    .option('watch', { type: 'boolean', default: false, describe: 'keep the status up to date' })
    .option('hosts', {
      type: 'string',
      describe: 'configure: the machines, NAME,NAME:observer,...',
    })
    .option('data-dir', {
      type: 'string',
      default: '/var/lib/vivarium',
      describe: 'configure: where each machine keeps its data',
    })
    .example('$0 ensemble', 'three servers on ports 2181 to 2183, until Ctrl-C')
    .example('$0 ensemble start --servers 5 --detach', 'five in the background')
    .example('$0 ensemble kill 2', 'end server 2 without warning')
    .example('$0 ensemble restart 2', 'start it again on its data')
    .example('$0 ensemble add-observer', 'one more server, which does not vote')
    .example('$0 ensemble configure --hosts zk1,zk2,zk3', 'files for servers on three machines')
    .epilogue(
      'DIR/server.N holds zoo.cfg, data (with myid) and server.log of server N.\n' +
        'Exit status: 0 done, 1 not (status: no server serves), 2 wrong use, 4 a port is taken.',
    );
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

/** Shows how the servers are, until Ctrl-C or until none runs. */
async function follow(
  ensemble: LocalEnsemble,
  interrupted: Promise<string>,
  flag: string,
): Promise<void> {
  const screen = new LiveTable(process.stdout);
  const roles = new RoleChanges();
  let nextEnd = ensemble.nextEnd();
  while (ensemble.running.length > 0) {
    const event = await Promise.race([interrupted, nextEnd, sleep(REFRESH_MS)]);
    if (typeof event === 'string') return;
    if (event !== undefined) {
      const remedy = `start it again with: vivarium ensemble restart ${event.id}${flag}`;
      screen.print(`${event.sentence}; ${remedy}`);
      nextEnd = ensemble.nextEnd();
    }
    const statuses = await ensemble.status();
    for (const line of roles.changes(statuses)) if (!screen.isLive) screen.print(line);
    screen.draw(statusTable(statuses));
  }
  screen.print('no server runs any more');
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
  // On a terminal a live one follows.
  const table = process.stdout.isTTY && !detach ? '' : `${statusTable(statuses)}\n`;
  const after = detach
    ? `stop them with        vivarium ensemble stop${dirFlag(dir)}\n`
    : 'stop them with        Ctrl-C\n';
  return (
    `${verdict}\n\n${table}` +
    `connect a client with zkCli.sh -server ${ensemble.connectString}\n` +
    `ask a server with     echo stat | nc 127.0.0.1 ${port} | grep Mode\n` +
    `data and logs are in  ${directory}/server.N\n${after}`
  );
}

async function status({ dir, json, watch }: EnsembleArguments): Promise<number> {
  if (watch) return await watchStatus(LocalEnsemble.open(dir));
  const statuses = await LocalEnsemble.open(dir).status();
  if (json) print(`${JSON.stringify(statuses.map(jsonStatus), null, 2)}\n`);
  else print(statusTable(statuses));
  return hasQuorum(statuses) ? 0 : 1;
}

/** Until Ctrl-C: a table on a terminal, elsewhere a line for each change. */
async function watchStatus(ensemble: LocalEnsemble): Promise<number> {
  const screen = new LiveTable(process.stdout);
  const roles = new RoleChanges();
  const interrupted = nextInterrupt();
  for (;;) {
    const statuses = await ensemble.status();
    const lines = roles.changes(statuses);
    for (const line of lines) if (!screen.isLive) screen.print(line);
    screen.draw(statusTable(statuses));
    const event = await Promise.race([interrupted, sleep(REFRESH_MS)]);
    if (typeof event === 'string') return hasQuorum(statuses) ? 0 : 1;
  }
}

async function stop({ dir, id }: EnsembleArguments): Promise<void> {
  const ensemble = LocalEnsemble.open(dir);
  if (id !== undefined) {
    await ensemble.stopServer(id);
    print(`stopped server ${id}\n`);
    return;
  }
  const stopped = await ensemble.stop();
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
  try {
    const status = await ensemble.waitForServer(id, SERVING_TIMEOUT_MS);
    const waits = hasQuorum([status]) ? '' : ', which waits for a majority';
    print(`started server ${id}${waits}\n`);
  } finally {
    ensemble.release();
  }
}

async function addObserver({ dir }: EnsembleArguments): Promise<void> {
  const ensemble = LocalEnsemble.open(dir);
  const id = await ensemble.addObserver((sentence) => print(`${sentence}\n`));
  ensemble.release();
  print(`server ${id} is an observer; clients reach all servers at ${ensemble.connectString}\n`);
}

function configure(given: EnsembleArguments): void {
  const { dir, hosts: text, 'data-dir': dataDir } = given;
  if (text === undefined) {
    throw new UsageError('ensemble configure needs the machines, for example --hosts zk1,zk2,zk3');
  }
  const hosts = parseHosts(text);
  if (typeof hosts === 'string') throw new UsageError(`--hosts: ${hosts}`);
  const clientPort = given['client-port'] ?? CLIENT_PORT;
  writeDeployment(dir, { hosts, dataDir, clientPort });
  for (const { host } of hosts) {
    print(`${dir}/${host}: copy zoo.cfg to /etc/vivarium and myid to ${dataDir} on ${host}\n`);
  }
  print('then, on each machine, run: vivarium check /etc/vivarium/zoo.cfg\n');
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
    cell(server.lag),
    cell(server.connections),
    cell(server.pid),
  ]);
  return renderTable([['id', 'role', 'port', 'zxid', 'lag', 'connections', 'pid'], ...rows]);
}

function cell(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

/** Notices servers that became something else since they were looked at last. */
class RoleChanges {
  readonly #roles = new Map<number, string>();

  /** One line for each; at the first look, for all. */
  changes(statuses: readonly LocalServerStatus[]): string[] {
    const lines: string[] = [];
    for (const { id, role, zxid, pid } of statuses) {
      if (this.#roles.get(id) === role) continue;
      this.#roles.set(id, role);
      const facts = zxid === undefined ? '' : ` zxid ${zxidHex(zxid)}`;
      lines.push(`server ${id} ${role}${facts}${pid === undefined ? '' : ` pid ${pid}`}`);
    }
    return lines;
  }
}

function jsonStatus({ address: _, zxid, ...server }: LocalServerStatus): object {
  return { ...server, zxid: zxid === undefined ? undefined : zxidHex(zxid) };
}

function print(text: string): void {
  process.stdout.write(text);
}
