/** What `vivarium server` does once its arguments are read: one server, until a signal or its own end. */

import { nodeMachine } from '../runtime/node/node-machine.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { leaveRoomInHeap } from '../runtime/node/old-space.ts';
import { collectYoungAlone } from '../runtime/node/young-collections.ts';
import { limitYoungSpace } from '../runtime/node/young-space.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Finding } from '../server/checks/finding.ts';
import { checkMachine, checkNames } from '../server/checks/machine-checks.ts';
import type { ServerConfig } from '../server/config.ts';
import { FatalError } from '../server/fatal-error.ts';
import { configFromFlags, loadConfig } from '../server/load-config.ts';
import { createLogger, type LogFormat, type Logger, type LogLevel } from '../server/logger.ts';
import { createServer, type Server } from '../server/server.ts';
import { settingsFromFlags } from './config-flags.ts';
import { processEnvironment } from './environment.ts';
import { settingsFromProperties } from './java-properties.ts';

/** Besides these there are the flags for the keys of the configuration. */
export interface ServerArguments {
  readonly config: string | undefined;
  readonly server: readonly string[];
  readonly 'my-id': string | undefined;
  readonly define: readonly string[];
  readonly import: boolean;
  readonly 'log-level': LogLevel;
  readonly 'log-format': LogFormat;
}

/** What they are where nothing is given. */
export const SERVER_DEFAULTS: ServerArguments = {
  config: undefined,
  server: [],
  'my-id': undefined,
  define: [],
  import: false,
  'log-level': 'info',
  'log-format': 'text',
};

/** A terminal's Ctrl-C, a supervisor's stop, a closed terminal: all end the server in order. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves after an orderly stop. Mistakes reject with errors that carry `exitCode`. */
export async function runServerCommand(given: ServerArguments): Promise<void> {
  limitYoungSpace();
  collectYoungAlone();
  leaveRoomInHeap();
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
  if (given.import) {
    // Few starts need it: all others should not wait until it is loaded.
    const { importIfThere } = await import('./import-at-start.ts');
    await importIfThere(config, runtime);
  }
  await runServer(createServer(config, runtime, { log, environment: processEnvironment() }), log);
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
