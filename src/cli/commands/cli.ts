/** `vivarium cli` in the list of commands. Its own command line has single dashes: `main` hands it over whole. */

import type { CommandModule } from 'yargs';
import { runShell } from '../shell/run.ts';

export function cliCommand(exit: (code: number) => void): CommandModule {
  return {
    command: 'cli',
    describe: 'the zkCli shell; vivarium cli --help shows its options',
    handler: async () => exit(await runShell([])),
  };
}
