/** The command line as yargs reads it. Only the modules of the command that was asked for are loaded. */

import yargs, { type Argv } from 'yargs';
import { VERSION } from '../server/version.ts';
import { UsageError } from './usage-error.ts';

/** In a narrower column yargs breaks the longest flags in two. */
const HELP_WIDTH = 120;

type Exit = (code: number) => void;

/** By name, in the order in which the help lists them. */
const COMMANDS: Readonly<Record<string, (parser: Argv, exit: Exit) => Promise<Argv>>> = {
  server: async (parser, exit) =>
    parser.command((await import('./commands/server.ts')).serverCommand(exit)),
  ensemble: async (parser, exit) =>
    parser.command((await import('./commands/ensemble.ts')).ensembleCommand(exit)),
  status: async (parser, exit) =>
    parser.command((await import('./commands/status.ts')).statusCommand(exit)),
  cli: async (parser, exit) => parser.command((await import('./commands/cli.ts')).cliCommand(exit)),
  check: async (parser, exit) =>
    parser.command((await import('./commands/check.ts')).checkCommand(exit)),
  import: async (parser) => parser.command((await import('./commands/import.ts')).importCommand()),
  export: async (parser) => parser.command((await import('./commands/export.ts')).exportCommand()),
  dump: async (parser) => parser.command((await import('./commands/dump.ts')).dumpCommand()),
  bench: async (parser, exit) =>
    parser.command((await import('./commands/bench.ts')).benchCommand(exit)),
};

/** Runs the command that the arguments ask for; resolves to the exit code. */
export async function runCommand(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const parser = yargs([...args])
    .scriptName('vivarium')
    .usage("$0 <command>\n\nZooKeeper's coordination service, rebuilt in TypeScript on Node.js.")
    .parserConfiguration({ 'camel-case-expansion': false, 'dot-notation': false });
  const only = Object.hasOwn(COMMANDS, args[0] ?? '') ? COMMANDS[args[0] ?? ''] : undefined;
  for (const add of only === undefined ? Object.values(COMMANDS) : [only]) await add(parser, exit);
  await parser
    .demandCommand(1, 'name a command')
    .strict()
    .version(VERSION)
    .epilogue(
      'vivarium COMMAND --help describes a command; docs/operations.md says how to run servers.',
    )
    .exitProcess(false)
    .wrap(Math.min(HELP_WIDTH, process.stdout.columns ?? HELP_WIDTH))
    .fail((message, error) => {
      throw error ?? new UsageError(`${message} (${helpCommand(args)} shows what there is)`);
    })
    .parseAsync();
  return exitCode;
}

/** The help of the command that was asked for, if there is one of that name. */
function helpCommand([name = '']: readonly string[]): string {
  return Object.hasOwn(COMMANDS, name) ? `vivarium ${name} --help` : 'vivarium --help';
}
