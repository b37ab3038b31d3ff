/** The command line `vivarium`: reads the arguments, runs one command, and says how the process should end. */

import yargs from 'yargs';
import { InvariantError } from '../base/assert.ts';
import { VERSION } from '../server/version.ts';
import { benchCommand } from './commands/bench.ts';
import { checkCommand } from './commands/check.ts';
import { cliCommand, runCli } from './commands/cli.ts';
import { dumpCommand } from './commands/dump.ts';
import { ensembleCommand } from './commands/ensemble.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { serverCommand } from './commands/server.ts';
import { statusCommand } from './commands/status.ts';
import { UsageError } from './usage-error.ts';

/** In a narrower column yargs breaks the longest flags in two. */
const HELP_WIDTH = 120;
const COMMAND_NAMES: ReadonlySet<string> = new Set([
  'server',
  'ensemble',
  'status',
  'check',
  'import',
  'export',
  'dump',
]);

/** Runs the command that the arguments (without the program's own name) ask for; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const parser = yargs([...args])
    .scriptName('vivarium')
    .usage("$0 <command>\n\nZooKeeper's coordination service, rebuilt in TypeScript on Node.js.")
    .parserConfiguration({ 'camel-case-expansion': false, 'dot-notation': false })
    .command(serverCommand(exit))
    .command(ensembleCommand(exit))
    .command(statusCommand(exit))
    .command(cliCommand(exit))
    .command(checkCommand(exit))
    .command(importCommand())
    .command(exportCommand())
    .command(dumpCommand())
    .command(benchCommand(exit))
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
    });
  try {
    // Its options have one dash, as the original's have, and what follows its command is the command's.
    if (args[0] === 'cli') return await runCli(args.slice(1));
    await parser.parseAsync();
    return exitCode;
  } catch (error) {
    process.stderr.write(`${failureText(error)}\n`);
    return failureCode(error);
  }
}

/** The help of the command that was asked for, if there is one of that name. */
function helpCommand([name = '']: readonly string[]): string {
  return COMMAND_NAMES.has(name) ? `vivarium ${name} --help` : 'vivarium --help';
}

/** Errors that carry an exit code are meant for the person at the terminal: one sentence, no stack. */
function failureText(error: unknown): string {
  if (!(error instanceof Error)) return `vivarium: ${String(error)}`;
  if (error instanceof InvariantError) return `vivarium: ${error.stack ?? error.message}`;
  if (hasExitCode(error)) return `vivarium: ${error.message}`;
  return `vivarium: ${error.stack ?? error.message}`;
}

function failureCode(error: unknown): number {
  return error instanceof Error && hasExitCode(error) ? error.exitCode : 1;
}

function hasExitCode(error: Error): error is Error & { readonly exitCode: number } {
  return 'exitCode' in error && typeof error.exitCode === 'number';
}
