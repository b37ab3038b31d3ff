/** `vivarium cli`: a conversation at a terminal, lines from standard input, or one command. */

import readline from 'node:readline';
import { isKeeperError } from '../../client/index.ts';
import { UsageError } from '../usage-error.ts';
import { parseShellArguments, SHELL_HELP, type ShellArguments } from './arguments.ts';
import { runInteractive } from './interactive.ts';
import { Output } from './output.ts';
import { Shell, type ShellOptions } from './shell.ts';

/** Resolves to the exit code. Rejects with a `UsageError` for options it cannot use. */
export async function runShell(args: readonly string[]): Promise<number> {
  const given = parseShellArguments(args);
  const { stdin, stdout, stderr } = process;
  if (given.help) {
    stdout.write(SHELL_HELP);
    return 0;
  }
  endWithReader();
  if (!given.json) stdout.write(`Connecting to ${given.server}\n`);
  const options = {
    hosts: given.server,
    sessionTimeoutMs: given.timeoutMs,
    readOnly: given.readOnly,
    isSessionQuiet: given.json && given.command.length > 0,
  };
  try {
    if (given.command.length > 0 || !stdin.isTTY || !stdout.isTTY) {
      return await runPlain(given, { ...options, out: new Output(stdout, stderr, given.json) });
    }
    welcome(given, true);
    return await runInteractive(options, { stdin, stdout, stderr }, given.json);
  } catch (error) {
    if (isKeeperError(error, 'BAD_ARGUMENTS')) throw new UsageError(error.message);
    throw error;
  }
}

/** Scripts look for these lines. */
function welcome({ json }: ShellArguments, hasEditing: boolean): void {
  if (json) return;
  const state = hasEditing ? 'enabled' : 'disabled';
  process.stdout.write(`Welcome to ZooKeeper!\nJLine support is ${state}\n`);
}

async function runPlain(given: ShellArguments, options: ShellOptions): Promise<number> {
  const shell = new Shell(options);
  const onInterrupt = (): void => {
    if (!shell.interrupt()) process.exit(130);
  };
  process.on('SIGINT', onInterrupt);
  if (!given.waitsForConnection || (await shell.waitForConnection())) {
    if (given.command.length > 0) await shell.executeWords(given.command);
    else {
      welcome(given, false);
      const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
      for await (const line of lines) {
        await shell.execute(line);
        if (shell.isOver) break;
      }
    }
  }
  process.off('SIGINT', onInterrupt);
  await shell.leave();
  return shell.exitCode;
}

/** Whoever reads may stop early (`| head`): that ends the shell, and is no failure to tell of. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
