/** Commands about the members of the ensemble. */

import { readFile } from 'node:fs/promises';
import { type Command, type Invocation, usageText } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { statJson, statLines } from '../format.ts';
import type { ParsedOptions } from '../options.ts';

export const configCommand: Command = {
  name: 'config',
  usage: '[-c] [-w] [-s]',
  summary:
    'the members of the ensemble; -c where clients connect, -w with a watch, -s with the stat',
  options: { flags: ['s', 'w', 'c'] },
  run: async ({ client, out, listener, options, signal }) => {
    const watch = options.has('w') ? listener : undefined;
    const { data, stat } = await client.getConfig({ watch, signal });
    const text = data?.toString() ?? 'null';
    const shown = options.has('c') ? clientAddresses(text) : text;
    const lines = [shown, ...(options.has('s') ? statLines(stat) : [])];
    out.answer(lines, { config: shown, stat: statJson(stat) });
  },
};

/** `hexversion host:port,host:port`, in the order of the members. */
export function clientAddresses(text: string): string {
  let version = '';
  const addresses: string[] = [];
  for (const line of text.split('\n')) {
    const [key = '', ...rest] = line.split('=');
    const value = rest.join('=');
    if (key === 'version') version = value;
    const client = key.startsWith('server.') ? value.split(';')[1] : undefined;
    if (client !== undefined) addresses.push(client.includes(':') ? client : `0.0.0.0:${client}`);
  }
  return `${version} ${addresses.join(',')}`;
}

export const reconfigCommand: Command = {
  name: 'reconfig',
  usage:
    '[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | ' +
    '[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
  summary: 'changes the members of the ensemble',
  options: { flags: ['s'], values: ['v', 'file', 'members', 'add', 'remove'] },
  run: async (call) => {
    const { client, out, options, signal } = call;
    const change = await changeOf(options);
    const { data, stat } = await client.reconfig({
      ...change,
      fromVersion: fromVersion(call),
      signal,
    });
    const config = data?.toString() ?? '';
    const lines = ['Committed new configuration:', config];
    if (options.has('s')) lines.push(...statLines(stat));
    out.answer(lines, { config, stat: statJson(stat) });
  },
};

interface Change {
  readonly joining: readonly string[] | undefined;
  readonly leaving: readonly string[] | undefined;
  readonly members: readonly string[] | undefined;
}

async function changeOf(options: ParsedOptions): Promise<Change> {
  const isWhole = options.has('file') || options.has('members');
  const isStep = options.has('add') || options.has('remove');
  if (!isWhole && !isStep) throw new CommandError(usageText(reconfigCommand));
  if (isWhole && isStep) {
    throw new CommandError(
      "Can't use -file or -members together with -add or -remove (mixing incremental and " +
        'non-incremental modes is not allowed)',
    );
  }
  if (options.has('file') && options.has('members')) {
    throw new CommandError(
      "Can't use -file and -members together (conflicting non-incremental modes)",
    );
  }
  const file = options.value('file');
  return {
    joining: listOf(options.value('add')),
    leaving: listOf(options.value('remove')),
    members: file === undefined ? listOf(options.value('members')) : await membersIn(file),
  };
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.toLowerCase().split(',');
}

/** The lines `server.N=...` of a configuration file. */
async function membersIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new CommandError(`Error processing ${file}: ${error.message}`);
  });
  const lines = text.split('\n').map((line) => line.replace(/\s+/g, ''));
  return lines.filter((line) => line.startsWith('server.'));
}

function fromVersion({ options }: Invocation): number | undefined {
  const text = options.value('v');
  if (text === undefined) return undefined;
  if (/^[0-9a-f]+$/i.test(text)) return Number.parseInt(text, 16);
  throw new CommandError('-v must be followed by a long (configuration version)');
}
