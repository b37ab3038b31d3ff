/**
 * Every difference to the original 3.8.0 that is wanted, with its reason: what the compatibility run
 * accepts, and the source of the list in docs/compatibility.md. We follow 3.9 where versions differ,
 * and nothing where the original harms itself.
 */

import { ErrorCode } from '../../src/base/error-code.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { Exchange } from './driver.ts';

/** The same exchange on both servers. */
export interface Pair {
  readonly original: Exchange;
  readonly ours: Exchange;
}

export interface KnownDifference {
  readonly id: string;
  /** What differs: what the original 3.8.0 does, and what this server does. */
  readonly what: string;
  readonly reason: string;
  /** Whether it explains all of how these two differ; undefined: never sent, so never seen. */
  readonly explains?: (pair: Pair) => boolean;
}

const CREATE_TYPES: readonly number[] = [
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
];
const SINGLE_WRITES: readonly number[] = [
  ...CREATE_TYPES,
  OpCode.delete,
  OpCode.setData,
  OpCode.setAcl,
  OpCode.reconfig,
  OpCode.deleteContainer,
];

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    id: 'event-zxid',
    what: 'The header of a notification carries zxid -1; here it carries that of the transaction.',
    reason: 'As 3.9.0 and later do.',
    // Compared with every event, not with a whole exchange: see compare.ts.
  },
  {
    id: 'undecodable-write-zxid',
    what: 'A single write that cannot be decoded takes a zxid; here it takes none.',
    reason: 'As 3.9.0 and later do.',
    explains: ({ original, ours }) =>
      original.asked?.isBroken === true &&
      SINGLE_WRITES.includes(original.asked.type) &&
      sameErrors(original, ours, ErrorCode.marshallingError, ErrorCode.marshallingError),
  },
  {
    id: 'exists-needs-read',
    what: 'exists shows the Stat of a node that may not be read; here it is NoAuth.',
    reason: 'As 3.8.4, 3.9.2 and later do: existence and size are information too.',
    explains: ({ original, ours }) =>
      original.asked?.type === OpCode.exists &&
      sameErrors(original, ours, ErrorCode.ok, ErrorCode.noAuth),
  },
  {
    id: 'multi-create2-result',
    what: 'create2 in a multi is answered as create, without a Stat; here with path and Stat.',
    reason: 'As 3.7.2, 3.8.2, 3.9.0 and later do.',
    explains: ({ original, ours }) =>
      original.asked?.members.includes(OpCode.create2) === true &&
      original.outcome.text === withoutCreate2Stats(original, ours),
  },
  {
    id: 'multi-undecodable-member',
    what:
      'An unknown flag or a null ACL in a multi fails that member (BadArguments, InvalidACL); ' +
      'here the whole multi is a marshalling error.',
    reason: 'As 3.8.2, 3.9.0 and later do.',
    explains: ({ original, ours }) =>
      original.asked?.type === OpCode.multi &&
      original.asked.isOdd &&
      sameErrors(original, ours, ErrorCode.ok, ErrorCode.marshallingError),
  },
  {
    id: 'multi-error-body',
    what:
      'A multi with a null path, or a multiRead with what may not be in it, is a marshalling error ' +
      'with a body; here without one.',
    reason: 'Clients ignore the body of an error. For multi, 3.9.0 and later leave it out, too.',
    explains: ({ original, ours }) =>
      (original.asked?.type === OpCode.multi || original.asked?.type === OpCode.multiRead) &&
      sameErrors(original, ours, ErrorCode.marshallingError, ErrorCode.marshallingError),
  },
  {
    id: 'watcher-types',
    what: 'Watcher types 4 (persistent) and 5 (recursive) are a marshalling error; here they work.',
    reason: 'As 3.9.0 and later do.',
    explains: ({ original, ours }) =>
      isWatchRequest(original) &&
      / kind [45]\b/.test(original.asked?.text ?? '') &&
      original.outcome.error === ErrorCode.marshallingError &&
      (ours.outcome.error === ErrorCode.noWatcher || ours.outcome.error === ErrorCode.ok),
  },
  {
    id: 'check-watches-others',
    what:
      'checkWatches counts the watches of other connections, and those of every mode; ' +
      'here only its own of the type asked for.',
    reason: 'As 3.9.0 and later do.',
    explains: ({ original, ours }) =>
      original.asked?.type === OpCode.checkWatches &&
      sameErrors(original, ours, ErrorCode.ok, ErrorCode.noWatcher),
  },
  {
    id: 'check-watches-bad-path',
    what:
      'checkWatches of a path that is null or does not begin with / is a marshalling error; ' +
      'here NoWatcher.',
    reason: 'As 3.9.0 and later do.',
    explains: ({ original, ours }) =>
      original.asked?.type === OpCode.checkWatches &&
      sameErrors(original, ours, ErrorCode.marshallingError, ErrorCode.noWatcher),
  },
  {
    id: 'null-acl-id',
    what:
      'An ACL entry with a null id fails where ACLs are checked, behind the checks of flags and ' +
      'path; here it cannot be decoded. The request is refused in any case.',
    reason: 'No client can send it, and what cannot be meant need not be carried along.',
    explains: ({ original, ours }) =>
      original.asked?.text.includes(' world:null') === true &&
      ours.outcome.error === ErrorCode.marshallingError,
  },
  {
    id: 'empty-path-count',
    what: 'getAllChildrenNumber of the empty path is one more than that of /; here the same.',
    reason: 'Both name the root, for this operation as for the others.',
    explains: ({ original, ours }) =>
      original.asked?.type === OpCode.getAllChildrenNumber &&
      original.asked.text.endsWith(' ""') &&
      lastNumber(original) === lastNumber(ours) + 1,
  },
  {
    id: 'supplementary-characters',
    what:
      'Characters beyond U+FFFF are written as two surrogates of three bytes each; ' +
      'here as UTF-8 of four bytes.',
    reason: 'Paths cannot contain them; only sync, which echoes any text, and ids of ACLs show it.',
    explains: ({ original, ours }) =>
      original.asked !== undefined &&
      /[\u{10000}-\u{10ffff}]/u.test(original.asked.text) &&
      sameErrors(original, ours, ErrorCode.ok, ErrorCode.ok),
  },
  {
    id: 'delete-container',
    what: 'deleteContainer sent by a client is BadArguments and takes a zxid; here Unimplemented.',
    reason:
      'It is the leader’s own operation. From 3.9.0 on the original carries it out for anybody, ' +
      'without looking at ACLs.',
    explains: ({ original, ours }) =>
      original.asked?.type === OpCode.deleteContainer &&
      ours.outcome.error === ErrorCode.unimplemented,
  },
  {
    id: 'acl-in-flight',
    what:
      'A request sent behind a setACL, before its reply, may still be judged by the old ACL; ' +
      'here by the new one.',
    reason: 'A client that sends both at once has taken the permission away first.',
  },
  {
    id: 'multi-left-behind',
    what:
      'A multi that is a marshalling error for a later member (a null path, a TTL flag without a ' +
      'ttl) leaves the changes of earlier members pending: requests right behind it see nodes and ' +
      'sequence numbers that never come to be. Here nothing of a failed multi is seen.',
    reason: 'A multi is all or nothing.',
  },
  {
    id: 'watch-modes',
    what:
      'The last watch a connection sets on a path replaces the one before, whatever its mode; ' +
      'here a one-shot watch and a persistent one are independent.',
    reason: 'As 3.9.0 and later do: a read with a watch must not end a persistent watch.',
  },
  {
    id: 'multi-container-flags',
    what: 'createContainer in a multi with the flags of a plain node makes one; here a container.',
    reason: 'As 3.8.2, 3.9.0 and later do.',
  },
  {
    id: 'ip-v6-acl',
    what: 'An ACL of scheme ip with an IPv6 address is InvalidACL; here it is accepted.',
    reason: 'As 3.9.4 and later do.',
  },
  {
    id: 'top-level-check',
    what: 'check outside a multi is logged, and the server cannot read its log any more; here -6.',
    reason: 'As 3.8.5, 3.9.3 and later do.',
  },
  {
    id: 'create-ttl-without-ttl',
    what: 'createTTL with the flags of a plain node and a negative ttl stops the server; here -8.',
    reason: 'A request that cannot be applied must be refused.',
  },
  {
    id: 'root-quota',
    what: 'Creating /zookeeper/quota/zookeeper_limits stops the server; here it is BadArguments.',
    reason: 'The root has no quota in either server.',
  },
  {
    id: 'quota-stats-text',
    what: 'Text in zookeeper_stats that is no count stops the server at the next write below; here it counts as zero.',
    reason: 'A client’s data must not stop a server.',
  },
  {
    id: 'create-session-request',
    what: 'createSession sent by a client (type -10) makes a session; here it is Unimplemented.',
    reason: 'It is the servers’ own operation.',
  },
];

/** What explains how the two differ; undefined: nothing does. */
export function explain(pair: Pair): KnownDifference | undefined {
  return KNOWN_DIFFERENCES.find((known) => known.explains?.(pair) === true);
}

function sameErrors(original: Exchange, ours: Exchange, first: number, second: number): boolean {
  return original.outcome.error === first && ours.outcome.error === second;
}

/** The number at the end of a reply. */
function lastNumber({ outcome }: Exchange): number {
  return Number(outcome.text.split(' ').at(-1));
}

function isWatchRequest({ asked }: Exchange): boolean {
  return asked?.type === OpCode.checkWatches || asked?.type === OpCode.removeWatches;
}

/** Our reply to a multi as the original would have written it: create2 as create, but for containers. */
function withoutCreate2Stats({ asked, outcome }: Exchange, ours: Exchange): string {
  const members = asked?.members ?? [];
  const originals = outcome.text.split('\n');
  const lines = ours.outcome.text.split('\n').map((line, at) => {
    const isPlain = members[at - 1] === OpCode.create2 && originals[at]?.startsWith('    1 0 0 ');
    return isPlain === true
      ? line.replace(/^ {4}15 0 0 ("(?:[^"\\]|\\.)*") \{.*\}$/, '    1 0 0 $1')
      : line;
  });
  return lines.join('\n');
}
