/**
 * What two servers compare when they meet: who votes, and where. Servers that count majorities of
 * different lists could elect two leaders, so a difference must be found before a vote is counted.
 */

import { createHash } from 'node:crypto';
import { bracketed, isAnyAddress, type Member } from './member-line.ts';

export interface MemberListDigest {
  /** One line `server.N=host:quorumPort:electionPort` for each participant, by id, joined by `\n`. */
  readonly text: string;
  /** SHA-256 of the text in UTF-8, as lower-case hex digits. */
  readonly digest: string;
}

/** Observers and client ports are left out: they may differ without harm. */
export function memberListDigest(members: readonly Member[]): MemberListDigest {
  const voters = members.filter((member) => member.role === 'participant');
  voters.sort((a, b) => a.id - b.id);
  const lines = voters.map(
    ({ id, host, quorumPort, electionPort }) =>
      `server.${id}=${bracketed(host.toLowerCase())}:${quorumPort}:${electionPort}`,
  );
  const text = lines.join('\n');
  return { text, digest: createHash('sha256').update(text).digest('hex') };
}

/**
 * Compares two texts of `memberListDigest`. Returns undefined when they agree, else words that name
 * the first member they differ in. A member may write an any-address (`0.0.0.0`) for its own host, as is
 * usual in containers: it agrees with every host, while the ports must still be equal.
 */
export function memberListDifference(ours: string, theirs: string): string | undefined {
  if (ours === theirs) return undefined;
  const ourLines = linesById(ours);
  const theirLines = linesById(theirs);
  for (const [key, mine] of ourLines) {
    const other = theirLines.get(key);
    if (other === undefined) return `we have ${key}=${mine}, they have no ${key}`;
    if (!isSameAddress(mine, other)) return `we have ${key}=${mine}, they have ${key}=${other}`;
  }
  for (const [key, other] of theirLines) {
    if (!ourLines.has(key)) return `they have ${key}=${other}, we have no ${key}`;
  }
  return undefined;
}

function linesById(text: string): Map<string, string> {
  const byId = new Map<string, string>();
  for (const line of text.split('\n')) {
    const split = line.indexOf('=');
    if (split > 0) byId.set(line.slice(0, split), line.slice(split + 1));
  }
  return byId;
}

function isSameAddress(mine: string, other: string): boolean {
  if (mine === other) return true;
  const a = splitHost(mine);
  const b = splitHost(other);
  return a.ports === b.ports && (isAnyAddress(a.host) || isAnyAddress(b.host));
}

function splitHost(address: string): { host: string; ports: string } {
  const [, host = '', ports = ''] = /^\[?(.*?)\]?:(\d+:\d+)$/.exec(address) ?? [];
  return { host, ports };
}
