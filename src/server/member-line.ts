/**
 * The lines that name an ensemble's members:
 * `server.N=host:quorumPort:electionPort[:role][;[clientHost:]clientPort[;[host:]secureClientPort]]`.
 */

import { makeServerId, type ServerId } from '../base/ids.ts';
import { ConfigError } from './config-error.ts';

export type MemberRole = 'participant' | 'observer';

/** One member of the ensemble, as its line says. */
export interface Member {
  readonly id: ServerId;
  /** Name or address, without the brackets of IPv6. */
  readonly host: string;
  readonly quorumPort: number;
  readonly electionPort: number;
  readonly role: MemberRole;
  /** Where the line says clients connect; undefined when the line has no such part. `0.0.0.0` is any address. */
  readonly clientHost: string | undefined;
  readonly clientPort: number | undefined;
  readonly secureClientHost: string | undefined;
  readonly secureClientPort: number | undefined;
  /** Canonical text, as `config` and `/zookeeper/config` show it: role always, client part if written. */
  readonly text: string;
  /** Line in the file, counted from 1; 0 when it did not come from a file. */
  readonly line: number;
}

/** A setting that is a member line, with its place for messages. */
export interface MemberSetting {
  readonly key: string;
  readonly value: string;
  readonly where: string;
  readonly line: number | undefined;
}

const FORM =
  'host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort], for example zk1:2888:3888;2181';
const PORT_MAX = 65535;

interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** True for the keys that name a member, well formed or not. */
export function isMemberKey(key: string): boolean {
  return key.startsWith('server.') && key !== 'server.realm';
}

/** Reads one member line; throws `ConfigError`. */
export function parseMemberLine(setting: MemberSetting): Member {
  const id = parseMemberId(setting);
  const parts = setting.value.split(';').map((part) => part.trim());
  const [peer = '', client = '', secure = ''] = parts;
  if (parts.length > 3) throw mistake(setting, 'has more than two parts after the addresses', FORM);
  if (peer.includes('|')) {
    throw mistake(setting, 'names several addresses', 'one address: this server uses only one');
  }
  const fields = splitAddress(peer);
  if (fields === undefined || fields.length < 3 || fields.length > 4) {
    throw mistake(setting, 'does not have the form of a member line', FORM);
  }
  const [host = '', quorumText = '', electionText = '', roleText = 'participant'] = fields;
  if (host === '') throw mistake(setting, 'has no host', FORM);
  const quorumPort = parsePort(setting, quorumText, 'quorum port', 1);
  const electionPort = parsePort(setting, electionText, 'election port', 1);
  if (quorumPort === electionPort) {
    const problem = `uses port ${quorumPort} for both quorum and election`;
    throw mistake(setting, problem, 'two different ports');
  }
  const role = parseRole(setting, roleText);
  const clientAddress = parseClientPart(setting, client, 'client port');
  const secureAddress = parseClientPart(setting, secure, 'secure client port');
  return Object.freeze({
    id,
    host,
    quorumPort,
    electionPort,
    role,
    clientHost: clientAddress?.host,
    clientPort: clientAddress?.port,
    secureClientHost: secureAddress?.host,
    secureClientPort: secureAddress?.port,
    text: canonicalText(id, { host, quorumPort, electionPort, role }, clientAddress, secureAddress),
    line: setting.line ?? 0,
  });
}

function canonicalText(
  id: ServerId,
  peer: Pick<Member, 'host' | 'quorumPort' | 'electionPort' | 'role'>,
  client: HostPort | undefined,
  secure: HostPort | undefined,
): string {
  const { host, quorumPort, electionPort, role } = peer;
  let text = `server.${id}=${bracketed(host)}:${quorumPort}:${electionPort}:${role}`;
  if (client !== undefined) text += `;${bracketed(client.host)}:${client.port}`;
  else if (secure !== undefined) text += ';';
  if (secure !== undefined) text += `;${bracketed(secure.host)}:${secure.port}`;
  return text;
}

/** A host as it stands before a colon: IPv6 addresses in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** True for the addresses that stand for every interface of a machine. */
export function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '0:0:0:0:0:0:0:0';
}

function parseMemberId(setting: MemberSetting): ServerId {
  const digits = setting.key.slice('server.'.length);
  const id = /^\d{1,9}$/.test(digits) ? Number.parseInt(digits, 10) : Number.NaN;
  if (!(id >= 1 && id <= 255)) {
    throw mistake(setting, 'names no valid server', 'server.N with N from 1 to 255');
  }
  return makeServerId(id);
}

/** Splits at colons outside brackets; undefined when brackets do not close. */
function splitAddress(text: string): string[] | undefined {
  if (!text.startsWith('[')) return text.split(':').map((field) => field.trim());
  const close = text.indexOf(']');
  if (close < 0) return undefined;
  const rest = text.slice(close + 1);
  if (rest !== '' && !rest.startsWith(':')) return undefined;
  const fields = rest === '' ? [] : rest.slice(1).split(':');
  return [text.slice(1, close), ...fields.map((field) => field.trim())];
}

function parseRole(setting: MemberSetting, text: string): MemberRole {
  const role = text.toLowerCase();
  if (role === 'participant' || role === 'observer') return role;
  throw mistake(setting, `has the role "${text}"`, 'participant or observer');
}

/** An empty part is allowed and means that the line does not say. */
function parseClientPart(setting: MemberSetting, text: string, name: string): HostPort | undefined {
  if (text === '') return undefined;
  const fields = splitAddress(text);
  if (fields === undefined || fields.length > 2) {
    throw mistake(setting, `has no readable ${name}`, FORM);
  }
  const portText = fields.at(-1) ?? '';
  const host = fields.length === 2 ? (fields[0] ?? '') : '0.0.0.0';
  if (host === '') throw mistake(setting, `has no host before the ${name}`, FORM);
  return { host, port: parsePort(setting, portText, name, 1) };
}

function parsePort(setting: MemberSetting, text: string, name: string, min: number): number {
  const port = /^\d{1,9}$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
  if (!(port >= min && port <= PORT_MAX)) {
    throw mistake(setting, `has the ${name} "${text}"`, `a port from ${min} to ${PORT_MAX}`);
  }
  return port;
}

function mistake(setting: MemberSetting, problem: string, expected: string): ConfigError {
  return new ConfigError({ ...setting, problem, expected });
}
