/** `vivarium server`: one server in the foreground, until a signal or its own end. */

import type { Argv, CommandModule } from 'yargs';
import type { LogFormat, LogLevel } from '../../server/logger.ts';
import { configFlags } from '../config-flags.ts';
import { runServerCommand, SERVER_DEFAULTS, type ServerArguments } from '../run-server.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
const FORMATS: readonly LogFormat[] = ['text', 'json'];

/** `exit` receives 0 after an orderly stop. Mistakes reject with errors that carry `exitCode`. */
export function serverCommand(
  exit: (code: number) => void,
): CommandModule<object, ServerArguments> {
  return {
    command: 'server [config]',
    describe: 'run one server in the foreground',
    builder: serverOptions,
    handler: async (given) => {
      await runServerCommand(given);
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
    .option('log-level', {
      choices: LEVELS,
      default: SERVER_DEFAULTS['log-level'],
      describe: 'log level',
    })
    .option('log-format', {
      choices: FORMATS,
      default: SERVER_DEFAULTS['log-format'],
      describe: 'form',
    })
    .example('$0 server', 'a standalone server on port 2181, data in ./data')
    .example('$0 server conf/zoo.cfg', 'a server as the file says')
    .epilogue(
      'SIGTERM, SIGINT and SIGHUP end the server in order.\n' +
        'Exit status: 0 stopped in order, 1 broken state, 2 configuration, 3 data damaged or\n' +
        'foreign, 4 a port is taken, 5 the disk failed.',
    );
}
