/**
 * Compares the files of one ensemble. Servers whose lists differ are the classic cause of silent
 * trouble: each is right by its own file, and together they may elect two leaders or none.
 */

import type { ConfigKey } from '../config-keys.ts';
import { CONFIG_KEYS } from '../config-keys.ts';
import { bracketed, isAnyAddress, type Member } from '../member-line.ts';
import { errorFinding, type Finding, risk } from './finding.ts';
import type { ReadConfig } from './read-config.ts';

const EQUAL_LINES = 'make the server.N lines equal on all servers';

/** Servers with unlike values disagree about what is allowed, or about who is alive. */
const EQUAL_KEYS: readonly ConfigKey[] = [
  'tickTime',
  'initLimit',
  'syncLimit',
  'minSessionTimeout',
  'maxSessionTimeout',
  'peerHeartbeatMs',
  'peerTimeoutMs',
  'standaloneEnabled',
  'jute.maxbuffer',
  'extendedTypesEnabled',
  'enforceQuota',
  'skipACL',
  'enforce.auth.enabled',
  'enforce.auth.schemes',
  'DigestAuthenticationProvider.superDigest',
  'localSessionsEnabled',
];
/** A difference that servers find out and do not survive. */
const ESSENTIAL: ReadonlySet<ConfigKey> = new Set(['extendedTypesEnabled']);
const SECRET: ReadonlySet<ConfigKey> = new Set(['DigestAuthenticationProvider.superDigest']);

export function compareConfigs(configs: readonly ReadConfig[]): Finding[] {
  if (configs.length < 2) return [];
  return [...compareMembers(configs), ...EQUAL_KEYS.flatMap((key) => compareKey(configs, key))];
}

function compareMembers(configs: readonly ReadConfig[]): Finding[] {
  const ids = new Set(configs.flatMap(({ members }) => members.map(({ id }) => id)));
  return [...ids].sort((a, b) => a - b).flatMap((id) => compareMember(configs, id));
}

interface Listed {
  readonly config: ReadConfig;
  readonly member: Member;
}

function compareMember(configs: readonly ReadConfig[], id: number): Finding[] {
  const listed: Listed[] = [];
  const without: ReadConfig[] = [];
  for (const config of configs) {
    const member = config.members.find((candidate) => candidate.id === id);
    if (member === undefined && !hasLine(config, id)) without.push(config);
    else if (member !== undefined) listed.push({ config, member });
  }
  const right = mostCommon(listed);
  if (right === undefined) return [];
  if (without.length > listed.length) return listed.map((odd) => onlyHere(odd, without));
  const findings: Finding[] = [];
  for (const { file } of without) {
    const what = `has no line server.${id}, while ${place(right)} has ${right.member.text}`;
    findings.push(errorFinding('members', file, what, EQUAL_LINES));
  }
  for (const odd of listed) {
    if (!isSame(odd.member, right.member)) findings.push(differing(odd, right));
  }
  return findings;
}

/** Well formed or not: what is wrong with a line is told as such. */
function hasLine({ settings }: ReadConfig, id: number): boolean {
  return settings.members().some(({ key }) => Number(key.slice('server.'.length)) === id);
}

/** The line that most files agree on; the first of them when there is no such line. */
function mostCommon(listed: readonly Listed[]): Listed | undefined {
  let best: Listed | undefined;
  let bestCount = 0;
  for (const candidate of listed) {
    const count = listed.filter(({ member }) => isSame(member, candidate.member)).length;
    if (count > bestCount) [best, bestCount] = [candidate, count];
  }
  return best;
}

function onlyHere(odd: Listed, without: readonly ReadConfig[]): Finding {
  const files = without.map(({ file }) => file).join(', ');
  const what = `lists ${odd.member.text}, which ${files} do not`;
  return errorFinding('members', place(odd), what, EQUAL_LINES);
}

function differing(odd: Listed, right: Listed): Finding {
  const what = `${odd.member.text} differs from ${right.member.text} in ${place(right)}`;
  const isElsewhere = peerPorts(odd.member) !== peerPorts(right.member);
  if (isElsewhere) return errorFinding('members', place(odd), what, EQUAL_LINES);
  return risk('members', place(odd), what, `${EQUAL_LINES}, unless both name the same machine`);
}

/** A server may name itself by the address that stands for all of its own. */
function isSame(a: Member, b: Member): boolean {
  const isSameHost =
    a.host.toLowerCase() === b.host.toLowerCase() || isAnyAddress(a.host) || isAnyAddress(b.host);
  return isSameHost && peerPorts(a) === peerPorts(b) && clientPart(a) === clientPart(b);
}

function peerPorts({ quorumPort, electionPort, role }: Member): string {
  return `${quorumPort}:${electionPort}:${role}`;
}

function clientPart({ clientHost, clientPort }: Member): string {
  return clientHost === undefined ? '' : `${bracketed(clientHost)}:${clientPort}`;
}

function place({ config, member }: Listed): string {
  return member.line === 0 ? config.file : `${config.file}:${member.line}`;
}

function compareKey(configs: readonly ReadConfig[], key: ConfigKey): Finding[] {
  const [first, ...others] = configs;
  if (first === undefined) return [];
  const expected = valueIn(first, key);
  const findings: Finding[] = [];
  for (const other of others) {
    const found = valueIn(other, key);
    if (found === expected) continue;
    const where = other.settings.find(key)?.where ?? other.file;
    const values = SECRET.has(key)
      ? `differs from that of ${first.file}`
      : `is ${found}, in ${first.file} it is ${expected}`;
    const finding = ESSENTIAL.has(key) ? errorFinding : risk;
    findings.push(finding('configuration', where, `${key} ${values}`, 'write the same everywhere'));
  }
  return findings;
}

function valueIn({ settings }: ReadConfig, key: ConfigKey): string {
  const written = settings.find(key)?.value;
  if (written !== undefined) return written;
  const spec = CONFIG_KEYS[key];
  if (spec.kind === 'boolean') return spec.words[spec.fallback ? 0 : 1];
  return 'fallback' in spec ? String(spec.fallback) : 'not set';
}
