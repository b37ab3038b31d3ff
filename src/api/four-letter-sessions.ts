/** `dump`: sessions by the time they expire, ephemeral nodes by session, connections by the time they are cut off. */

import { sessionIdHex } from '../base/ids.ts';
import { AnswerText } from './answer-text.ts';
import type { BackendStatus, ServingMode } from './backend.ts';
import type { CommandSource } from './four-letter.ts';
import { javaDate } from './java-date.ts';
import { javaAddress } from './remote-address.ts';

export function dumpText(source: CommandSource, mode: ServingMode, status: BackendStatus): string {
  // Only the server that expires sessions knows when each would.
  const isExpiring = mode === 'leader' || mode === 'standalone';
  const { sessionDeadlines, localSessionDeadlines: local } = status;
  const localSets = local === undefined ? '' : sessionSets('Local Session', source, local);
  const title = local === undefined ? 'Session' : 'Global Session';
  const sessions = isExpiring
    ? sessionSets(title, source, sessionDeadlines)
    : globalSessions(source);
  const header = `SessionTracker dump:\n${localSets}`;
  return `${header}${sessions}${ephemerals(source)}${connectionSets(source)}`;
}

function sessionSets(
  title: string,
  source: CommandSource,
  deadlines: BackendStatus['sessionDeadlines'],
): string {
  const members = deadlines.map(
    ([sessionId, leftMs]) => [leftMs, `\t${sessionIdHex(sessionId)}\n`] as const,
  );
  return expirySets(title, source.wallMs(), members);
}

function globalSessions(source: CommandSource): string {
  const { sessions } = source.backend.tree;
  let text = `Global Sessions(${sessions.size}):\n`;
  for (const [sessionId, timeoutMs] of sessions.entries()) {
    text += `${sessionIdHex(sessionId)}\t${timeoutMs}ms\n`;
  }
  return text;
}

function ephemerals(source: CommandSource): string {
  const text = new AnswerText();
  let sessionCount = 0;
  const { ephemerals: owned } = source.backend.tree;
  for (const sessionId of owned.owners()) {
    sessionCount += 1;
    text.line(`${sessionIdHex(sessionId)}:`);
    for (const node of owned.of(sessionId)) {
      if (text.isFull) break;
      text.line(`\t${node.path}`);
    }
  }
  return `ephemeral nodes dump:\nSessions with Ephemerals (${sessionCount}):\n${text}`;
}

function connectionSets(source: CommandSource): string {
  const members: (readonly [number, string])[] = [];
  for (const { value, deadlineMs } of source.deadlines.entries()) {
    const { connection } = value;
    if (connection.isEnding) continue;
    const address = javaAddress(connection.stream.remote);
    const line = `\tip: ${address} sessionId: ${sessionIdHex(connection.sessionId)}\n`;
    members.push([deadlineMs - source.nowMs, line]);
  }
  return `Connections dump:\n${expirySets('Connections', source.wallMs(), members)}`;
}

/** `members`: milliseconds left, and the line to print. Those that share a moment form a set. */
function expirySets(
  title: string,
  wallMs: number,
  members: readonly (readonly [leftMs: number, line: string])[],
): string {
  const sets = new Map<number, string[]>();
  for (const [leftMs, line] of members) {
    const lines = sets.get(leftMs);
    if (lines === undefined) sets.set(leftMs, [line]);
    else lines.push(line);
  }
  let text = `${title} Sets (${sets.size})/(${members.length}):\n`;
  for (const leftMs of [...sets.keys()].sort((a, b) => a - b)) {
    const lines = sets.get(leftMs) ?? [];
    text += `${lines.length} expire at ${javaDate(wallMs + leftMs)}:\n${lines.join('')}`;
  }
  return text;
}
