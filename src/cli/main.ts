/** The command line `vivarium`: reads the arguments, runs one command, and says how the process should end. */

import { InvariantError } from '../base/assert.ts';

/** Runs the command that the arguments (without the program's own name) ask for; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const [name, first, ...others] = args;
    // Its options have one dash, as the original's have, and what follows its command is the command's.
    if (name === 'cli') {
      const { runCli } = await import('./commands/cli.ts');
      return await runCli(args.slice(1));
    }
    const config = others.length === 0 ? fileNamedBy(first) : undefined;
    if (name !== 'server' || config === undefined) {
      const { runCommand } = await import('./command-line.ts');
      return await runCommand(args);
    }
    // Servers are started so: nothing to parse, so the parser, which takes as long as the rest of
    // a start and lays out its help too, need not be loaded and kept.
    const { runServerCommand, SERVER_DEFAULTS } = await import('./run-server.ts');
    await runServerCommand({ ...SERVER_DEFAULTS, config });
    return 0;
  } catch (error) {
    process.stderr.write(`${failureText(error)}\n`);
    return failureCode(error);
  }
}

/** The file in `FILE` or `--config=FILE`; undefined for any other argument. */
function fileNamedBy(argument: string | undefined): string | undefined {
  const file = argument?.replace(/^--config=/, '');
  return file === undefined || file === '' || file.startsWith('-') ? undefined : file;
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
