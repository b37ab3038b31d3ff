/** The original's shell, and what it prints without what differs between any two runs. */

import { existsSync } from 'node:fs';
import { APACHE, runProgram } from './support.ts';

export const ZKCLI = '/usr/share/zookeeper/bin/zkCli.sh';
/** Why the shell cannot be run on this machine; false when it can. */
export const SKIP = APACHE.skip || (existsSync(ZKCLI) ? false : `${ZKCLI} is not there`);
export const QUIET = { JVMFLAGS: '-Dzookeeper.root.logger=OFF,CONSOLE -Xmx128m' };

/** What one run printed. Another thread prints the events, so only their own order is fixed. */
export interface Printed {
  readonly output: readonly string[];
  readonly events: readonly string[];
  readonly errors: string;
}

/** Runs one command, or those given as input, and splits what was printed. */
export function zkCli(server: string, command: readonly string[], input = ''): Promise<Printed> {
  return printedBy([ZKCLI], server, command, input);
}

/** The same by any program that takes the arguments of the original's shell. */
export async function printedBy(
  program: readonly string[],
  server: string,
  command: readonly string[],
  input = '',
): Promise<Printed> {
  const { stdout, stderr } = await runProgram([...program, '-server', server, ...command], {
    input,
    environment: QUIET,
  });
  const lines = masked(stdout, server)
    .split('\n')
    .filter((line) => line !== '' && line !== 'WATCHER::' && !line.includes('state:Closed'))
    .sort((a, b) => (isIdentity(a) && isIdentity(b) ? a.localeCompare(b) : 0));
  const isEvent = (line: string): boolean => line.startsWith('WatchedEvent ');
  return {
    output: lines.filter((line) => !isEvent(line)),
    events: lines.filter(isEvent),
    errors: masked(stderr, server).replace(/^SLF4J: .*\n/gm, ''),
  };
}

/** A line of `whoami`, which on the original come in no certain order. */
function isIdentity(line: string): boolean {
  return /^(digest|ip): /.test(line);
}

/** Replaces what differs between any two runs, and keeps which numbers are equal. */
function masked(text: string, server: string): string {
  const zxids = new Map<string, string>();
  const ordinal = (_: string, name: string, zxid: string): string => {
    const known = zxids.get(zxid) ?? `z${zxids.size}`;
    zxids.set(zxid, known);
    return `${name}Zxid = ${known}`;
  };
  return text
    .replaceAll(server, 'SERVER')
    .replace(/([cmp])Zxid = (0x[0-9a-f]+)/g, ordinal)
    .replace(/([cm]time) = .*/g, '$1 = TIME')
    .replace(/ephemeralOwner = 0x[1-9a-f][0-9a-f]*/g, 'ephemeralOwner = SESSION')
    .replace(/\(CONNECT(ING|ED)\)/g, '(STATE)');
}
