/** Commands that change single nodes. */

import { KeeperError, type NodeMode, type NodeOptions, OPEN_ACL } from '../../../client/index.ts';
import { parseAcl } from '../acl-text.ts';
import { inOrder, readBranch } from '../branch.ts';
import { type Command, type Invocation, intOf, versionOf, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { statJson, statLines } from '../format.ts';
import { emptyAclError, generalText } from '../keeper-text.ts';
import type { ParsedOptions } from '../options.ts';
import { checkedPath } from '../path-text.ts';

/** What fits behind the mark in an owner's number. */
const TTL_MAX_MS = 2 ** 40 - 1;

export const createCommand: Command = {
  name: 'create',
  usage: '[-s] [-e] [-c] [-t ttl] path [data] [acl]',
  summary:
    'a new node; -s numbered, -e ephemeral, -c container, -t removed when unused so long (ms)',
  options: { flags: ['s', 'e', 'c'], values: ['t'] },
  wordsMin: 1,
  run: async (call) => {
    const { client, out, options, words, signal } = call;
    const kind = kindOf(options);
    const parsed = words[2] === undefined ? undefined : parseAcl(words[2]);
    for (const complaint of parsed?.complaints ?? []) out.note(complaint);
    const path = checkedPath(wordAt(call, 0), options.has('s'));
    const acl = parsed?.acl ?? OPEN_ACL;
    try {
      if (acl.length === 0) throw emptyAclError();
      const created = await client.create(path, words[1] ?? null, { ...kind, acl, signal });
      out.report(`Created ${created}`, { created });
    } catch (error) {
      noteBeforeFailure(call, error);
      throw error;
    }
  },
};

/** The original prints two lines for some failures. */
function noteBeforeFailure({ out }: Invocation, error: unknown): void {
  if (!(error instanceof KeeperError) || out.isJson) return;
  if (error.code === 'EPHEMERAL_ON_LOCAL_SESSION') {
    out.note('Unable to create ephemeral node on a local session');
  } else if (error.code === 'INVALID_ACL') {
    out.note(error.path === 'null' ? 'KeeperErrorCode = InvalidACL' : generalText(error));
  }
}

function kindOf(options: ParsedOptions): NodeOptions {
  const isEphemeral = options.has('e');
  const isSequential = options.has('s');
  const isContainer = options.has('c');
  const ttl = options.value('t');
  if (isContainer && (isEphemeral || isSequential)) {
    throw new CommandError(
      '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.',
    );
  }
  if (ttl === undefined) {
    if (isContainer) return { mode: 'container' };
    const mode: NodeMode = isEphemeral ? 'ephemeral' : 'persistent';
    return { mode: isSequential ? `${mode}Sequential` : mode };
  }
  if (!/^[+-]?\d+$/.test(ttl)) throw new CommandError('-t argument must be a long value');
  if (isEphemeral) throw new CommandError('TTLs cannot be used with Ephemeral znodes');
  if (isContainer) throw new CommandError('TTLs cannot be used with Container znodes');
  const ttlMs = Number(ttl);
  if (ttlMs <= 0 || ttlMs > TTL_MAX_MS) {
    throw new CommandError(`ttl must be positive and cannot be larger than: ${TTL_MAX_MS}`);
  }
  return { mode: isSequential ? 'persistentSequential' : 'persistent', ttlMs };
}

export const setCommand: Command = {
  name: 'set',
  usage: 'path data [-s] [-v version] [-b]',
  summary: 'new data; -v if this is the version, -b given in base64, -s prints the stat',
  options: { flags: ['s', 'b'], values: ['v'] },
  wordsMin: 2,
  run: async (call) => {
    const { client, out, options, signal } = call;
    const version = versionOf(call) ?? oldVersionOf(call, 2, 'set [-s] [-v version] path data');
    const path = checkedPath(wordAt(call, 0));
    const text = wordAt(call, 1);
    const data = options.has('b') ? bytesOfBase64(text) : text;
    const stat = await client.set(path, data, { version, signal });
    out.answer(options.has('s') ? statLines(stat) : [], statJson(stat));
  },
};

function bytesOfBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const isWhole = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (isWhole) return bytes;
  throw new CommandError(`"${text}" is not base64`);
}

/**
 * The version as a word of its own, as up to 3.4. It is a condition: to pass over it, as later
 * releases of the original do, would change what the caller meant to protect.
 */
function oldVersionOf(call: Invocation, index: number, instead: string): number | undefined {
  const text = call.words[index];
  if (text === undefined) return undefined;
  const old = index === 2 ? 'set path data [version]' : 'delete path [version]';
  call.out.note(`'${old}' has been deprecated. Please use '${instead}' instead.`);
  return intOf(text, `word ${index + 2} is the version (data with blanks stand in quotes): it`);
}

export const deleteCommand: Command = {
  name: 'delete',
  usage: '[-v version] path',
  summary: 'removes a node without children; -v if this is its version',
  options: { values: ['v'] },
  wordsMin: 1,
  run: async (call) => {
    const version = versionOf(call) ?? oldVersionOf(call, 1, 'delete [-v version] path');
    const path = checkedPath(wordAt(call, 0));
    await call.client.delete(path, { version, signal: call.signal });
    call.out.answer([], { deleted: path });
  },
};

export const setAclCommand: Command = {
  name: 'setAcl',
  usage: '[-s] [-v version] [-R] path acl',
  summary: 'who may do what; -R with all nodes below, -v if this is the aclVersion, -s the stat',
  options: { flags: ['s', 'R'], values: ['v'] },
  wordsMin: 2,
  run: async (call) => {
    const { client, out, options, signal } = call;
    const { acl, complaints } = parseAcl(wordAt(call, 1));
    for (const complaint of complaints) out.note(complaint);
    const version = versionOf(call);
    const path = checkedPath(wordAt(call, 0));
    if (acl.length === 0) throw emptyAclError();
    if (options.has('R')) {
      const branch = await readBranch(client, path, { signal });
      const outcomes = Array.from(inOrder(branch), (node) =>
        client.setAcl(node.path, acl, { version, signal }),
      );
      await allOrFirstFailure(call, outcomes, [...branch.failures.values()]);
      out.answer([], { changed: outcomes.length });
    } else {
      const stat = await client.setAcl(path, acl, { version, signal });
      out.answer(options.has('s') ? statLines(stat) : [], statJson(stat));
    }
  },
};

/** Waits for all, says what failed, and throws if anything did. */
async function allOrFirstFailure(
  { out }: Invocation,
  work: readonly Promise<unknown>[],
  unread: readonly KeeperError[],
): Promise<void> {
  const failures: unknown[] = [...unread];
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected') failures.push(outcome.reason);
  }
  const last = failures.pop();
  for (const failure of failures) {
    out.note(failure instanceof KeeperError ? generalText(failure) : String(failure));
  }
  if (last !== undefined) throw last;
}
