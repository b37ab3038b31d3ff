/** `vivarium server`: one server in the foreground, until a signal or its own end. */

import type { Argv, CommandModule } from 'yargs';
import { hasApacheData, hasOwnData, wasImported } from '../../apache/import-data.ts';
import { nodeMachine } from '../../runtime/node/node-machine.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Finding } from '../../server/checks/finding.ts';
import { checkMachine, checkNames } from '../../server/checks/machine-checks.ts';
import type { ServerConfig } from '../../server/config.ts';
import { FatalError } from '../../server/fatal-error.ts';
import { configFromFlags, loadConfig } from '../../server/load-config.ts';
import { createLogger, type LogFormat, type Logger, type LogLevel } from '../../server/logger.ts';
import { createServer, type Server } from '../../server/server.ts';
import { configFlags, settingsFromFlags } from '../config-flags.ts';
import { processEnvironment } from '../environment.ts';
import { settingsFromProperties } from '../java-properties.ts';
import { importText, importWithProgress } from './import.ts';

interface ServerArguments {
  readonly config: string | undefined;
  readonly server: readonly string[];
  readonly 'my-id': string | undefined;
  readonly define: readonly string[];
  readonly import: boolean;
  readonly 'log-level': LogLevel;
  readonly 'log-format': LogFormat;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
const FORMATS: readonly LogFormat[] = ['text', 'json'];
/** A terminal's Ctrl-C, a supervisor's stop, a closed terminal: all end the server in order. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `exit` receives 0 after an orderly stop. Mistakes reject with errors that carry `exitCode`. */
export function serverCommand(
  exit: (code: number) => void,
): CommandModule<object, ServerArguments> {
  return {
    command: 'server [config]',
    describe: 'run one server in the foreground',
    builder: serverOptions,
    handler: async (given) => {
      const runtime = createNodeRuntime();
      const config = await readConfig(runtime, given);
      const log = createLogger(
        {
          level: given['log-level'],
          format: given['log-format'],
          serverId: config.isStandalone ? undefined : config.serverId,
        },
        process.stdout,
      );
      reportConfig(config, log.child('config'));
      await checkStart(config, runtime, log.child('check'));
      if (given.import) await importIfThere(config, runtime);
      await runServer(
        createServer(config, runtime, { log, environment: processEnvironment() }),
        log,
      );
      exit(0);
    },
  };
}

function serverOptions(yargs: Argv<object>): Argv<ServerArguments> {
  // Not typed one by one: the configuration checks their texts.
  yargs.options(configFlags());
  return yargs
    .positional('config', {
      type: 'string',
      describe: 'a zoo.cfg; without one a standalone server on port 2181 with ./data',
    })
    .option('server', {
      type: 'string',
      array: true,
      requiresArg: true,
      nargs: 1,
      default: [] as string[],
      describe: 'N=host:quorumPort:electionPort, once for each member',
    })
    .option('my-id', { type: 'string', requiresArg: true, describe: 'instead of the file myid' })
    .option('define', {
      type: 'string',
      array: true,
      requiresArg: true,
      nargs: 1,
      default: [] as string[],
      describe: 'NAME=VALUE as given to Java by -D; zoo.cfg wins over it',
    })
    .option('import', {
      type: 'boolean',
      default: false,
      describe: "first take over Apache ZooKeeper's data in dataDir, unless that was done before",
    })
    .option('log-level', { choices: LEVELS, default: 'info' as LogLevel, describe: 'log level' })
    .option('log-format', { choices: FORMATS, default: 'text' as LogFormat, describe: 'form' })
    .example('$0 server', 'a standalone server on port 2181, data in ./data')
    .example('$0 server conf/zoo.cfg', 'a server as the file says')
    .epilogue(
      'SIGTERM, SIGINT and SIGHUP end the server in order.\n' +
        'Exit status: 0 stopped in order, 1 broken state, 2 configuration, 3 data damaged or\n' +
        'foreign, 4 a port is taken, 5 the disk failed.',
    );
}

function readConfig(runtime: Runtime, given: ServerArguments): Promise<ServerConfig> {
  const flags = settingsFromFlags({ ...given }, given.server);
  const id = given['my-id'];
  const myId = id === undefined ? undefined : { where: '--my-id', text: id };
  if (given.config === undefined) {
    const properties = settingsFromProperties(given.define);
    return configFromFlags(runtime.storage, [...properties, ...flags], myId);
  }
  const defaults = settingsFromProperties(given.define);
  return loadConfig(runtime.storage, given.config, { overrides: flags, defaults, myId });
}

function reportConfig(config: ServerConfig, log: Logger): void {
  for (const { key, where, reason } of config.ignored)
    log.info('ignored-key', { where, key, reason });
  for (const { where, message, remedy } of config.warnings)
    log.warn('config-warning', { where, message, remedy });
  log.info('configuration', {
    source: config.source,
    mode: config.isStandalone ? 'standalone' : config.role,
    clientPort: config.clientPort,
    dataDir: config.dataDir,
    pid: process.pid,
  });
}

/** What `vivarium check` looks at besides what the start itself meets: errors stop it, risks are logged. */
async function checkStart(config: ServerConfig, runtime: Runtime, log: Logger): Promise<void> {
  const tools = { runtime, machine: nodeMachine };
  const report = ({ severity, where, what, remedy }: Finding): void => {
    if (severity === 'error') throw new FatalError('DATA', `${where}: ${what}`, { remedy });
    log.warn('risk', { where, what, remedy });
  };
  for (const finding of await checkMachine(config, tools)) report(finding);
  // A resolver may be slow, and names may mean something later: the start does not wait for it.
  checkNames(config, tools).then(
    (findings) => {
      for (const finding of findings) report(finding);
    },
    (error: unknown) => log.warn('namesUnchecked', { reason: String(error) }),
  );
}

/**
 * Nothing to do when there is nothing of the original's, or data of ours already. A member of an
 * ensemble imports once: what it may have lost since, the others have, and it is newer.
 */
async function importIfThere(config: ServerConfig, runtime: Runtime): Promise<void> {
  const { dataDir, dataLogDir, serverId } = config;
  const isThere = await hasApacheData(runtime.storage, dataDir, dataLogDir);
  if (!isThere || (await hasOwnData(runtime.storage, dataDir, dataLogDir))) return;
  if (!config.isStandalone && (await wasImported(runtime.storage, dataDir))) return;
  // A dataLogDir that the original did not have yet holds nothing of it.
  const hasLogDir = await hasApacheData(runtime.storage, dataLogDir, dataLogDir);
  const apacheLogDir = hasLogDir ? dataLogDir : undefined;
  const directories = { apacheDir: dataDir, apacheLogDir, dataDir, dataLogDir };
  const report = await importWithProgress({ ...directories, serverId });
  process.stderr.write(importText(report, dataDir));
}

/** Resolves after an orderly stop; rejects with what ended the server otherwise. */
async function runServer(server: Server, log: Logger): Promise<void> {
  const signal = nextStopSignal();
  await server.start();
  const end = await Promise.race([signal, server.fatal]);
  if (typeof end !== 'string') throw end;
  log.info('stopping', { signal: end });
  await server.stop();
  log.info('stopped');
}

/** Listens from the call on, so that a signal during the start is not lost; a second one ends at once. */
function nextStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let count = 0;
    for (const name of STOP_SIGNALS) {
      process.on(name, () => {
        count++;
        if (count > 1) process.exit(1);
        resolve(name);
      });
    }
  });
}
