/**
 * The numbers of the field, each with a type of its own so that the compiler keeps them apart.
 * Only this file takes a zxid apart or puts one together: shifts and masks cut a number to 32 bits.
 */

import { invariant } from './assert.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Transaction id: epoch x 2^32 + counter, exact as a number because epoch < 2^21. */
export type Zxid = Brand<number, 'Zxid'>;
/** Number of one leadership, 0 to EPOCH_MAX. */
export type Epoch = Brand<number, 'Epoch'>;
/** Number of a server (`myid`, the N of `server.N`), 1 to 255; 0 stands for "nobody". */
export type ServerId = Brand<number, 'ServerId'>;
/** All 64 bits of a session's id, signed as on the wire. Compared and printed, never calculated with. */
export type SessionId = Brand<bigint, 'SessionId'>;

const COUNTER_SPAN = 0x1_0000_0000;
/** Largest counter inside an epoch; the leader hands over before it is reached. */
export const COUNTER_MAX = 0xffff_ffff;
/** Epochs stay below 2^21 so that a zxid stays an exact integer. */
export const EPOCH_MAX = 0x1f_ffff;

export const ZXID_NONE = 0 as Zxid;
export const EPOCH_NONE = 0 as Epoch;
export const SESSION_NONE = 0n as SessionId;
export const SERVER_NONE = 0 as ServerId;

export function makeEpoch(value: number): Epoch {
  invariant(Number.isInteger(value) && value >= 0 && value <= EPOCH_MAX, 'epoch out of range');
  return value as Epoch;
}

export function makeServerId(value: number): ServerId {
  invariant(Number.isInteger(value) && value >= 0 && value <= 255, 'server id out of range');
  return value as ServerId;
}

export function makeSessionId(value: bigint): SessionId {
  return BigInt.asIntN(64, value) as SessionId;
}

export function makeZxid(epoch: Epoch, counter: number): Zxid {
  invariant(epoch >= 0 && epoch <= EPOCH_MAX, 'epoch out of range');
  invariant(Number.isInteger(counter), 'counter is not an integer');
  invariant(counter >= 0 && counter <= COUNTER_MAX, 'counter out of range');
  return (epoch * COUNTER_SPAN + counter) as Zxid;
}

/** Narrows a number read from disk or from a peer; undefined when it cannot be a zxid. */
export function parseZxid(value: unknown): Zxid | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return undefined;
  return value as Zxid;
}

export function zxidEpoch(zxid: Zxid): Epoch {
  return Math.floor(zxid / COUNTER_SPAN) as Epoch;
}

export function zxidCounter(zxid: Zxid): number {
  return zxid % COUNTER_SPAN;
}

/** The zxid after this one in the same epoch. */
export function nextZxid(zxid: Zxid): Zxid {
  invariant(zxidCounter(zxid) < COUNTER_MAX, 'zxid counter exhausted');
  return (zxid + 1) as Zxid;
}

/** True when `next` may directly follow `previous` in a history: +1, or the first of a later epoch. */
export function follows(previous: Zxid, next: Zxid): boolean {
  if (next === previous + 1) return zxidCounter(next) !== 0;
  return zxidEpoch(next) > zxidEpoch(previous) && zxidCounter(next) === 1;
}

/** `0x` and unpadded hex digits, as every ZooKeeper tool prints a zxid. */
export function zxidHex(zxid: Zxid): string {
  return `0x${zxid.toString(16)}`;
}

/** `0x` and unpadded hex digits of all 64 bits, as every ZooKeeper tool prints a session id. */
export function sessionIdHex(sessionId: SessionId): string {
  return `0x${BigInt.asUintN(64, sessionId).toString(16)}`;
}
