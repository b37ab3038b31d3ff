/**
 * Who is on the other end. Both sides of every peer connection say hello before anything else, and a
 * stranger is refused with a sentence that names the server, the line and the remedy: mixed-up
 * addresses, ids, lists and data directories are found when they happen, not when data is gone.
 */

import { makeServerId, type ServerId } from '../base/ids.ts';
import { isStanding, type Standing } from '../base/standing.ts';
import {
  decodeSettings,
  encodeSettings,
  NO_SETTINGS,
  type PeerSettings,
  ruleConflict,
} from './agreement.ts';
import { decodeFrame, encodeFrame } from './peer-codec.ts';

/** Of what follows the hello: another form of a message, or of a chunk of a snapshot, is another one. */
export const PEER_PROTOCOL_VERSION = 3;

const HELLO = 80;
const REFUSAL = 81;
/** Longer than any id of ours. */
const ID_LENGTH_MAX = 128;
const SENTENCE_LENGTH_MAX = 1000;

/** What a server says of itself. */
export interface PeerIdentity {
  readonly sid: ServerId;
  /** Empty while the server's data belongs to no ensemble yet. */
  readonly clusterId: string;
  /** Drawn when the data directory was made: tells apart two servers with one id. */
  readonly incarnation: string;
  /** Whether its disk still holds what it vouched for. */
  readonly standing: Standing;
  /** Nothing was ever promised or written on this disk. */
  readonly isEmpty: boolean;
  /**
   * Who votes, in this server's opinion, ascending. Addresses are not compared: a server may name
   * itself 0.0.0.0, and names may stand for numbers; only the set decides what a majority is.
   */
  readonly participants: readonly ServerId[];
  readonly settings: PeerSettings;
}

export interface Hello {
  readonly version: number;
  readonly identity: PeerIdentity;
  /** The server that the dialling side believes to be at this address. */
  readonly to: ServerId;
}

export function encodeHello({ version, identity, to }: Hello): Uint8Array {
  const { sid, clusterId, incarnation, participants, standing, isEmpty, settings } = identity;
  const condition = [standing, isEmpty, ...encodeSettings(settings)];
  return encodeFrame([HELLO, version, sid, clusterId, incarnation, participants, to, condition]);
}

export function encodeRefusal(reason: string): Uint8Array {
  return encodeFrame([REFUSAL, reason]);
}

/** A hello, or the sentence with which the other side refused ours, or undefined for anything else. */
export function decodeHello(frame: Uint8Array): Hello | { readonly refusal: string } | undefined {
  const fields = decodeFrame(frame);
  if (fields === undefined) return undefined;
  const [type, version, sid, clusterId, incarnation, participants, to, condition] = fields;
  if (type === REFUSAL) {
    return typeof version === 'string'
      ? { refusal: version.slice(0, SENTENCE_LENGTH_MAX) }
      : undefined;
  }
  if (type !== HELLO || typeof version !== 'number') return undefined;
  if (!isServerId(sid) || !isServerId(to)) return undefined;
  if (!isShortText(clusterId) || !isShortText(incarnation)) return undefined;
  if (!Array.isArray(participants) || !participants.every(isServerId)) return undefined;
  const [standing, isEmpty, ...settingFields]: readonly unknown[] = Array.isArray(condition)
    ? condition
    : OTHER_VERSION;
  const settings = decodeSettings(settingFields);
  if (!isStanding(standing) || typeof isEmpty !== 'boolean' || settings === undefined) {
    return undefined;
  }
  const identity = {
    sid: makeServerId(sid),
    clusterId,
    incarnation,
    standing,
    isEmpty,
    participants: participants.map(makeServerId),
    settings,
  };
  return { version, identity, to: makeServerId(to) };
}

/** What is believed of a server whose hello says nothing of it: it is refused for its version. */
const OTHER_VERSION: readonly unknown[] = ['whole', false, ...encodeSettings(NO_SETTINGS)];

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= ID_LENGTH_MAX;
}

function isServerId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;
}

/**
 * Why the other side is refused, as a sentence from this server's point of view; undefined when all
 * is well. `dialled` is the server this side meant to reach, undefined on an accepted connection;
 * `known` are all servers of the own list.
 */
export function refusalReason(
  own: PeerIdentity,
  hello: Hello,
  from: string,
  dialled: ServerId | undefined,
  known: readonly ServerId[],
): string | undefined {
  const other = hello.identity;
  if (hello.version !== PEER_PROTOCOL_VERSION) {
    return `server ${other.sid} at ${from} speaks peer protocol ${hello.version}, this server ${own.sid} speaks ${PEER_PROTOCOL_VERSION}: run the same release on both`;
  }
  if (other.sid === own.sid) {
    return `the server at ${from} has myid ${own.sid} as this server does: give one of them another number in its myid file`;
  }
  if (dialled !== undefined && other.sid !== dialled) {
    return `the address ${from} of line server.${dialled} is answered by server ${other.sid}: the lines server.${dialled} and server.${other.sid}, or the myid files of the two, are swapped`;
  }
  if (dialled === undefined && hello.to !== own.sid) {
    return `server ${other.sid} at ${from} looks for server ${hello.to} at the address of this server ${own.sid}: its lines server.${hello.to} and server.${own.sid}, or the myid files of the two, are swapped`;
  }
  if (!known.includes(other.sid)) {
    return `server ${other.sid} at ${from} is not in the list of server ${own.sid}: add its line server.${other.sid} here, or take it out of service`;
  }
  if (other.clusterId !== '' && own.clusterId !== '' && other.clusterId !== own.clusterId) {
    return `server ${other.sid} at ${from} holds data of cluster ${short(other.clusterId)}, server ${own.sid} of cluster ${short(own.clusterId)}: one of them has a foreign data directory, or a server list that points into another cluster`;
  }
  if (other.participants.join() !== own.participants.join()) {
    return `server ${other.sid} at ${from} counts servers ${other.participants.join(', ')} as participants, server ${own.sid} counts ${own.participants.join(', ')}: make the server.N lines equal on all servers`;
  }
  return ruleConflict(own, other, from);
}

/** Why a server is refused while another one with its number, but another disk, is connected. */
export function rivalReason(sid: ServerId, known: string, other: string): string {
  return `two servers have myid ${sid}, at ${known} and at ${other}: give one of them another number in its myid file`;
}

function short(clusterId: string): string {
  return clusterId.slice(0, 8);
}
