/** The command line of the shell: the original's options, and ours with two dashes. */

import { UsageError } from '../usage-error.ts';

const TIMEOUT_MAX_MS = 0x7fff_ffff;

export interface ShellArguments {
  readonly server: string;
  readonly timeoutMs: number;
  readonly readOnly: boolean;
  readonly waitsForConnection: boolean;
  readonly json: boolean;
  readonly help: boolean;
  /** One command with its words; none for a conversation. */
  readonly command: readonly string[];
}

/** The first word without a dash is the command, and all that follows is its own. Throws a `UsageError`. */
export function parseShellArguments(args: readonly string[]): ShellArguments {
  let server = 'localhost:2181';
  let timeoutMs = 30_000;
  let readOnly = false;
  let waitsForConnection = false;
  let json = false;
  let help = false;
  let at = 0;
  for (; at < args.length; at++) {
    const option = args[at] ?? '';
    if (!option.startsWith('-')) break;
    const [name = '', inline] = splitOption(option);
    const value = (): string => {
      const given = inline ?? args[++at];
      if (given === undefined)
        throw new UsageError(`Error: no argument found for option ${option}`);
      return given;
    };
    if (name === 'server') server = value();
    else if (name === 'timeout') timeoutMs = timeoutOf(value());
    else if (name === 'r') readOnly = true;
    else if (name === 'waitforconnection') waitsForConnection = true;
    else if (name === 'json') json = true;
    else if (name === 'help' || name === 'h') help = true;
    else if (name === 'client-configuration') {
      throw new UsageError(`${option}: this shell has no TLS, it reads no client configuration`);
    } else throw new UsageError(`${option} is no option of the shell (vivarium cli --help)`);
  }
  const words = args.slice(at);
  const command = words.filter((word) => word !== '--json');
  json ||= command.length < words.length;
  return { server, timeoutMs, readOnly, waitsForConnection, json, help, command };
}

/** `-server x`, `--server x` and `--server=x` are the same. */
function splitOption(option: string): string[] {
  const name = option.replace(/^--?/, '');
  const equals = name.indexOf('=');
  return equals < 0 ? [name] : [name.slice(0, equals), name.slice(equals + 1)];
}

function timeoutOf(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= TIMEOUT_MAX_MS) return value;
  throw new UsageError(`-timeout ${text}: expected milliseconds, a whole number above 0`);
}

export const SHELL_HELP = `vivarium cli [-server host:port[,host:port...][/chroot]] [-timeout ms] [-r]
             [-waitforconnection] [--json] [command ...]

The zkCli shell. With a command it executes that one and ends; otherwise it reads lines from the
terminal or from standard input.

  -server             servers to choose from, and the path to work below [localhost:2181]
  -timeout            of the session, in milliseconds [30000]
  -r                  accept a server that has lost its quorum and only reads
  -waitforconnection  fail when there is no session within the timeout
  --json              print JSON, one line for each answer, error and event

Exit codes: 0 done, 1 failed, 127 no such command, 2 wrong use of these options.
`;
