/**
 * What servers of one ensemble must have in common beside the list of voters, and what they had
 * better have. Each says its own in the hello.
 */

import type { ServerId } from '../base/ids.ts';

export interface PeerSettings {
  /** By the names of their keys: what changes the outcome of a transaction. */
  readonly rules: ReadonlyMap<string, string>;
  /** By the names of their keys: what an operator means to be equal everywhere. */
  readonly limits: ReadonlyMap<string, string>;
  /** The wall clock, milliseconds since 1970. */
  readonly wallMs: number;
}

export const NO_SETTINGS: PeerSettings = Object.freeze({
  rules: new Map<string, string>(),
  limits: new Map<string, string>(),
  wallMs: 0,
});

/** More than a clock is off that somebody looks after. */
const CLOCK_DIFFERENCE_MAX_MS = 60_000;
const KEYS_MAX = 64;
const TEXT_LENGTH_MAX = 128;

interface Party {
  readonly sid: ServerId;
  readonly settings: PeerSettings;
}

/** Why two servers cannot work together, as a sentence of the first; undefined when they can. */
export function ruleConflict(own: Party, other: Party, from: string): string | undefined {
  const [key] = differingKeys(own.settings.rules, other.settings.rules);
  if (key === undefined) return undefined;
  const [mine, theirs] = [own.settings.rules.get(key), other.settings.rules.get(key)];
  return `server ${other.sid} at ${from} has ${key}=${theirs ?? '(unknown)'}, server ${own.sid} has ${key}=${mine ?? '(unknown)'}, and would make something else of the same transaction: write the same into the configurations of both`;
}

/** What an operator should know of, one sentence each. */
export function differences(own: Party, other: Party, from: string): string[] {
  const sentences: string[] = [];
  for (const key of differingKeys(own.settings.limits, other.settings.limits)) {
    const [mine, theirs] = [own.settings.limits.get(key), other.settings.limits.get(key)];
    sentences.push(
      `server ${other.sid} at ${from} has ${key}=${theirs ?? '(unknown)'}, server ${own.sid} has ${key}=${mine ?? '(unknown)'}: write the same into the configurations of all servers`,
    );
  }
  const aheadMs = other.settings.wallMs - own.settings.wallMs;
  if (Math.abs(aheadMs) > CLOCK_DIFFERENCE_MAX_MS) {
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    const side = aheadMs > 0 ? 'ahead of' : 'behind';
    sentences.push(
      `the clock of server ${other.sid} at ${from} is ${seconds} s ${side} that of server ${own.sid}: set the clocks of both machines (times of nodes and TTLs go by the leader's)`,
    );
  }
  return sentences;
}

/** For the hello, whose fields hold no arrays of arrays: wall clock, then keys and values, rules first. */
export function encodeSettings({ rules, limits, wallMs }: PeerSettings): readonly unknown[] {
  const fields: unknown[] = [wallMs, rules.size];
  for (const [key, text] of rules) fields.push(key, text);
  for (const [key, text] of limits) fields.push(key, text);
  return fields;
}

export function decodeSettings(value: unknown): PeerSettings | undefined {
  if (!Array.isArray(value)) return undefined;
  const [wallMs, ruleCount, ...texts]: unknown[] = value;
  if (typeof wallMs !== 'number' || !Number.isFinite(wallMs)) return undefined;
  if (typeof ruleCount !== 'number' || !(ruleCount >= 0 && ruleCount <= KEYS_MAX)) return undefined;
  const rules = decodePairs(texts.slice(0, 2 * ruleCount));
  const limits = decodePairs(texts.slice(2 * ruleCount));
  if (rules === undefined || limits === undefined) return undefined;
  return { rules, limits, wallMs };
}

function decodePairs(value: readonly unknown[]): Map<string, string> | undefined {
  if (value.length % 2 !== 0 || value.length > 2 * KEYS_MAX) return undefined;
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < value.length; i += 2) {
    const key: unknown = value[i];
    const text: unknown = value[i + 1];
    if (typeof key !== 'string' || typeof text !== 'string') return undefined;
    if (key.length > TEXT_LENGTH_MAX || text.length > TEXT_LENGTH_MAX) return undefined;
    pairs.set(key, text);
  }
  return pairs;
}

/** Keys that one of two releases does not know are not compared. */
function differingKeys(
  own: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): string[] {
  const keys: string[] = [];
  for (const [key, text] of own) {
    const others = other.get(key);
    if (others !== undefined && others !== text) keys.push(key);
  }
  return keys;
}
