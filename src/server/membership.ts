/** Who is in the ensemble, which of them this server is, and whether it runs alone. */

import { invariant } from '../base/assert.ts';
import { makeServerId, type ServerId } from '../base/ids.ts';
import type { ConfigWarning } from './config.ts';
import { ConfigError } from './config-error.ts';
import { bracketed, isAnyAddress, type Member, parseMemberLine } from './member-line.ts';
import type { Settings } from './settings.ts';

/** What the file `myid` holds, or what a program says in its place. */
export interface MyId {
  /** Path of the file, or the name of the option. */
  readonly where: string;
  /** undefined: there is no such file. */
  readonly text: string | undefined;
}

export interface Membership {
  readonly serverId: ServerId;
  readonly isStandalone: boolean;
  /** By id. */
  readonly members: readonly Member[];
  readonly voterIds: readonly ServerId[];
  /** This server's line; undefined when a standalone server has none. */
  readonly own: Member | undefined;
}

/** Where this server listens for clients. */
export interface ClientAddress {
  /** undefined: all interfaces. */
  readonly host: string | undefined;
  /** undefined: nowhere. */
  readonly port: number | undefined;
}

const LONE_SERVER = makeServerId(1);

/** Reads the member lines and `myid`. Throws `ConfigError`; adds to `warnings` what only needs a look. */
export function resolveMembership(
  settings: Settings,
  myId: MyId,
  warnings: ConfigWarning[],
): Membership {
  const members = settings.members().map(parseMemberLine);
  members.sort((a, b) => a.id - b.id);
  refuseSharedIds(settings, members);
  refuseSharedAddresses(settings, members);
  const voterIds = members.filter((m) => m.role === 'participant').map((m) => m.id);
  const isStandalone = checkCounts(settings, members, voterIds.length, warnings);
  const serverId = isStandalone
    ? standaloneId(members, myId, warnings)
    : requiredId(settings, members, myId);
  const own = members.find((member) => member.id === serverId);
  checkRole(settings, own, warnings);
  return {
    serverId,
    isStandalone,
    members,
    voterIds: voterIds.length === 0 ? [serverId] : voterIds,
    own,
  };
}

/** `clientPort` and the client part of the own line must not contradict; the line wins. */
export function resolveClientAddress(settings: Settings, own: Member | undefined): ClientAddress {
  const port = settings.writtenInteger('clientPort');
  const address = settings.text('clientPortAddress');
  if (address !== undefined && port === undefined) {
    throw settings.mistake('clientPortAddress', 'is set but clientPort is not', 'both or neither');
  }
  if (own?.secureClientPort !== undefined) {
    throw memberMistake(
      settings,
      own,
      'asks for TLS, which this server does not offer yet',
      'a line without a secure client port',
    );
  }
  if (own?.clientPort === undefined || own.clientHost === undefined) {
    if (own !== undefined && (port === own.quorumPort || port === own.electionPort)) {
      const problem = `is a port that line server.${own.id} uses for peers`;
      throw settings.mistake('clientPort', problem, 'a port of its own');
    }
    return { host: listenHost(address), port };
  }
  const isSpecific = address !== undefined && !isAnyAddress(address);
  const isSame =
    port === undefined || (port === own.clientPort && (!isSpecific || address === own.clientHost));
  if (!isSame) {
    const here = isSpecific ? `${bracketed(address)}:${port}` : String(port);
    const problem = `contradicts the client address ${here} of clientPort`;
    throw memberMistake(settings, own, problem, 'one client address, here or as clientPort');
  }
  return { host: listenHost(own.clientHost), port: own.clientPort };
}

function listenHost(host: string | undefined): string | undefined {
  return host === undefined || isAnyAddress(host) ? undefined : host;
}

/** `server.1` and `server.01` are different keys that name one server. */
function refuseSharedIds(settings: Settings, members: readonly Member[]): void {
  for (let i = 1; i < members.length; i++) {
    const member = members[i];
    const previous = members[i - 1];
    if (member === undefined || previous === undefined || member.id !== previous.id) continue;
    throw memberMistake(
      settings,
      member,
      'names the same server as another line',
      'one line for each server',
    );
  }
}

function refuseSharedAddresses(settings: Settings, members: readonly Member[]): void {
  const owners = new Map<string, Member>();
  for (const member of members) {
    const { host, quorumPort, electionPort, clientPort, clientHost = '0.0.0.0' } = member;
    const ports = [quorumPort, electionPort];
    // A line may name an interface that exists on every machine, such as 127.0.0.1.
    const isHost = isAnyAddress(clientHost) || clientHost === host;
    if (clientPort !== undefined && isHost) ports.push(clientPort);
    for (const port of ports) {
      const address = `${bracketed(host.toLowerCase())}:${port}`;
      const owner = owners.get(address);
      if (owner !== undefined) {
        const problem =
          owner === member
            ? `uses ${address} twice`
            : `uses ${address}, as server.${owner.id} does`;
        throw memberMistake(settings, member, problem, 'an address of its own');
      }
      owners.set(address, member);
    }
  }
}

/** Returns whether the server runs alone. */
function checkCounts(
  settings: Settings,
  members: readonly Member[],
  voterCount: number,
  warnings: ConfigWarning[],
): boolean {
  const isAloneAllowed = settings.boolean('standaloneEnabled');
  const where = settings.source;
  const expected = 'at least one participant among the server.N lines';
  if (voterCount === 0 && members.length > 0) {
    throw new ConfigError({ where, problem: 'all members are observers', expected });
  }
  if (voterCount === 0 && !isAloneAllowed) {
    throw settings.mistake('standaloneEnabled', 'leaves no server to vote', expected);
  }
  if (voterCount === 1 && isAloneAllowed && members.length > 1) {
    const problem = 'there are observers and only one participant';
    const remedy = 'more participants, or standaloneEnabled=false';
    throw new ConfigError({ where, problem, expected: remedy });
  }
  if (voterCount <= 1 && isAloneAllowed) {
    if (voterCount === 1) {
      const message = 'only one server.N line: the server runs standalone';
      const remedy = 'list all servers of the ensemble, or remove the line';
      warnings.push({ where, message, remedy });
    }
    return true;
  }
  if (voterCount === 2) {
    const message = 'two participants survive no failure: at least three are needed for that';
    warnings.push({ where, message, remedy: 'add a third participant' });
  } else if (voterCount % 2 === 0) {
    const message = `${voterCount} participants survive no more failures than ${voterCount - 1} do`;
    const remedy = 'make one of them an observer, or add one';
    warnings.push({ where, message, remedy });
  }
  return false;
}

/** The original ignores `myid` here; a server that later grows into an ensemble must keep its number. */
function standaloneId(members: readonly Member[], myId: MyId, warnings: ConfigWarning[]): ServerId {
  const [member] = members;
  const written = parseMyId(myId.text);
  if (member === undefined) return written ?? LONE_SERVER;
  if (myId.text !== undefined && written !== member.id) {
    const message = `holds "${firstLine(myId.text)}" and the only line is server.${member.id}`;
    const remedy = `write ${member.id} into the file`;
    warnings.push({ where: myId.where, message, remedy });
  }
  return member.id;
}

function requiredId(settings: Settings, members: readonly Member[], myId: MyId): ServerId {
  const { where } = myId;
  const ids = members.map((member) => member.id).join(', ');
  const expected = `one line with the number of this server (one of ${ids})`;
  if (myId.text === undefined) throw new ConfigError({ where, problem: 'is missing', expected });
  const id = parseMyId(myId.text);
  if (id === undefined) {
    const problem = `holds "${firstLine(myId.text)}", which is no server number`;
    throw new ConfigError({ where, value: firstLine(myId.text), problem, expected });
  }
  if (!members.some((member) => member.id === id)) {
    const list = members.map((member) => member.text).join(', ');
    const problem = `says ${id}, and ${settings.source} has no server.${id} (it has ${list})`;
    throw new ConfigError({ where, value: String(id), problem, expected });
  }
  return id;
}

function firstLine(text: string): string {
  return (text.split(/\r\n|\r|\n/)[0] ?? '').trim();
}

function parseMyId(text: string | undefined): ServerId | undefined {
  const line = text === undefined ? '' : firstLine(text);
  if (!/^\+?\d{1,9}$/.test(line)) return undefined;
  const id = Number(line);
  return id >= 1 && id <= 255 ? makeServerId(id) : undefined;
}

/** The role in the list counts; `peerType` may only repeat it. */
function checkRole(settings: Settings, own: Member | undefined, warnings: ConfigWarning[]): void {
  const setting = settings.find('peerType');
  if (setting === undefined) return;
  const role = setting.value.toLowerCase();
  if (role !== 'participant' && role !== 'observer') {
    throw new ConfigError({ ...setting, expected: 'participant or observer' });
  }
  const listed = own?.role ?? 'participant';
  if (role === listed) return;
  const message = `peerType=${role} has no effect: the member list makes this server a ${listed}`;
  const remedy = `remove the line, or write ${role} after the ports of this server's line`;
  warnings.push({ where: setting.where, message, remedy });
}

function memberMistake(
  settings: Settings,
  member: Member,
  problem: string,
  expected: string,
): ConfigError {
  const setting = settings
    .members()
    .find(
      ({ key, line }) =>
        Number(key.slice('server.'.length)) === member.id && (line ?? 0) === member.line,
    );
  invariant(setting !== undefined, 'a member without the setting it was read from');
  return new ConfigError({ ...setting, problem, expected });
}
