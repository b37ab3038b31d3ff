/** `vivarium cli`, as the list of commands shows it. Its own command line has single dashes. */

import type { CommandModule } from 'yargs';

/** Resolves to the exit code. Loaded only when it is wanted: a server needs nothing of a shell. */
export async function runCli(args: readonly string[]): Promise<number> {
  const { runShell } = await import('../shell/run.ts');
  return await runShell(args);
}

/** `main` hands the arguments over before they get here, all but none. */
export function cliCommand(exit: (code: number) => void): CommandModule {
  return {
    command: 'cli',
    describe: 'the zkCli shell; vivarium cli --help shows its options',
    handler: async () => exit(await runCli([])),
  };
}
