/** Quotas: limits and usage are the texts of two nodes below `/zookeeper/quota`. */

import { type Client, childPath, isKeeperError, parentPath } from '../../../client/index.ts';
import { inOrder, readBranch } from '../branch.ts';
import { type Command, type Invocation, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import type { ParsedOptions } from '../options.ts';
import { checkedPath } from '../path-text.ts';
import { limitsText, parseTrack, type Track, trackJson } from '../quota-text.ts';

const SYSTEM = '/zookeeper';
const ROOT = '/zookeeper/quota';
const LIMITS = 'zookeeper_limits';
const STATS = 'zookeeper_stats';

const KEYS = {
  n: 'count',
  b: 'bytes',
  N: 'countHardLimit',
  B: 'byteHardLimit',
} as const;
const OPTION_NAMES = {
  n: 'num soft quota',
  b: 'bytes soft quota',
  N: 'num hard quota',
  B: 'bytes hard quota',
} as const;
type Letter = keyof typeof KEYS;
const LETTERS: readonly Letter[] = ['n', 'b', 'N', 'B'];

export const setQuotaCommand: Command = {
  name: 'setquota',
  usage: '-n|-b|-N|-B val path',
  summary: 'limits a branch: -n nodes and -b bytes warn, -N and -B refuse',
  options: { values: LETTERS, oneOf: { names: OPTION_NAMES, isRequired: true } },
  wordsMin: 1,
  run: async (call) => {
    const path = wordAt(call, 0);
    if (path.startsWith(ROOT)) {
      throw new CommandError(`cannot set a quota under the path: ${ROOT}`);
    }
    const { key, value } = limitOf(call.options);
    checkedPath(path);
    await refuseNested(call, path);
    await setLimit(call, path, key, value);
  },
};

function limitOf(options: ParsedOptions): { readonly key: string; readonly value: number } {
  const letter = LETTERS.find((each) => options.has(each)) ?? 'n';
  const text = options.value(letter) ?? '';
  if (!/^[+-]?\d+$/.test(text)) {
    throw new CommandError('NumberFormatException happens when parsing the option value');
  }
  const value = Number(text);
  const isCount = letter === 'n' || letter === 'N';
  if (isCount && value <= 0) throw new CommandError('the num quota must be greater than zero');
  if (value < 0) throw new CommandError('the bytes quota must be greater than or equal to zero');
  return { key: KEYS[letter], value };
}

/** A node has at most one quota on the way up from it, and only where there is a node. */
async function refuseNested({ client, signal }: Invocation, path: string): Promise<void> {
  if ((await client.exists(path, { signal })) === undefined) {
    throw new CommandError(`${path} does not exist.`);
  }
  const place = quotaPlace(path);
  if ((await client.exists(place, { signal })) !== undefined) {
    for (const node of inOrder(await readBranch(client, place, { signal }))) {
      if (node.path === place || !node.children.includes(LIMITS)) continue;
      const child = node.path.slice(ROOT.length);
      throw new CommandError(`${path} has a child ${child} which has a quota`);
    }
  }
  for (const above of placesAbove(place)) {
    if ((await client.exists(childPath(above, LIMITS), { signal })) === undefined) continue;
    const parent = above.slice(ROOT.length);
    throw new CommandError(`${path} has a parent ${parent} which has a quota`);
  }
}

/** Between the root of all quotas and a place, from the top, without both. */
function placesAbove(place: string): string[] {
  const places: string[] = [];
  for (let at = parentPath(place); at.length > ROOT.length; at = parentPath(at)) places.push(at);
  return places.reverse();
}

/** The root itself cannot have one: its place would be the node that holds all others. */
function quotaPlace(path: string): string {
  return checkedPath(`${ROOT}${path}`);
}

async function setLimit(call: Invocation, path: string, key: string, value: number): Promise<void> {
  const { client, signal } = call;
  const place = quotaPlace(path);
  const limits = childPath(place, LIMITS);
  const stats = childPath(place, STATS);
  const known = await trackAt(client, limits, signal);
  const track: Track = known ?? new Map([...Object.values(KEYS)].map((each) => [each, -1]));
  track.set(key, value);
  if (known === undefined) {
    for (const each of [SYSTEM, ROOT, ...placesAbove(place), place]) {
      await createIfMissing(client, each, null, signal);
    }
    await client.create(limits, limitsText(track), { signal });
    await createIfMissing(client, stats, limitsText(parseTrack('count=0,bytes=0')), signal);
  }
  const used = (await trackAt(client, stats, signal)) ?? new Map();
  const warnings = warningsOf(track, used);
  if (known !== undefined) await client.set(limits, limitsText(track), { signal });
  call.out.answer(warnings, { limits: trackJson(track), stat: trackJson(used), warnings });
}

function warningsOf(limits: Track, used: Track): string[] {
  const isBelow = (keys: readonly string[], what: string): boolean => {
    const count = used.get(what) ?? -1;
    return keys.some((key) => (limits.get(key) ?? -1) > -1 && (limits.get(key) ?? -1) < count);
  };
  const warnings: string[] = [];
  if (isBelow([KEYS.n, KEYS.N], 'count')) {
    warnings.push(
      `[Warning]: the count quota you create is less than the existing count:${used.get('count')}`,
    );
  }
  if (isBelow([KEYS.b, KEYS.B], 'bytes')) {
    warnings.push(
      `[Warning]: the bytes quota you create is less than the existing bytes:${used.get('bytes')}`,
    );
  }
  return warnings;
}

async function trackAt(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<Track | undefined> {
  try {
    const { data } = await client.get(path, { signal });
    return parseTrack(data?.toString() ?? '');
  } catch (error) {
    if (isKeeperError(error, 'NO_NODE')) return undefined;
    throw error;
  }
}

async function createIfMissing(
  client: Client,
  path: string,
  data: string | null,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(path, data, { signal });
  } catch (error) {
    if (!isKeeperError(error, 'NODE_EXISTS') && !isKeeperError(error, 'NO_AUTH')) throw error;
    if ((await client.exists(path, { signal })) === undefined) throw error;
  }
}

export const listQuotaCommand: Command = {
  name: 'listquota',
  usage: 'path',
  summary: 'limits and usage of a branch',
  options: {},
  wordsMin: 1,
  run: async (call) => {
    const { client, out, signal } = call;
    const path = wordAt(call, 0);
    const place = `${ROOT}${path}`;
    if (!out.isJson) out.note(`absolute path is ${place}/${LIMITS}`);
    checkedPath(`${place}/${LIMITS}`);
    const limits = await trackAt(client, `${place}/${LIMITS}`, signal);
    const stats = await trackAt(client, `${place}/${STATS}`, signal);
    if (limits === undefined || stats === undefined) {
      out.report(`quota for ${path} does not exist.`, null);
      return;
    }
    const lines = [
      `Output quota for ${path} ${limitsText(limits)}`,
      `Output stat for ${path} ${limitsText(stats)}`,
    ];
    out.answer(lines, { limits: trackJson(limits), stat: trackJson(stats) });
  },
};

export const delQuotaCommand: Command = {
  name: 'delquota',
  usage: '[-n|-b|-N|-B] path',
  summary: 'lifts one limit of a branch, or removes its quota',
  options: { oneOf: { names: OPTION_NAMES, isRequired: false } },
  wordsMin: 1,
  run: async (call) => {
    const { client, out, options, signal } = call;
    const path = wordAt(call, 0);
    const place = quotaPlace(path);
    const limits = childPath(place, LIMITS);
    const track = await trackAt(client, limits, signal);
    if (track === undefined) {
      out.answer([`Quota does not exist for ${path}`], null);
      return;
    }
    const letter = LETTERS.find((each) => options.has(each));
    if (letter === undefined) await removeQuota(call, place);
    else {
      track.set(KEYS[letter], -1);
      await client.set(limits, limitsText(track), { signal });
    }
    out.answer([], letter === undefined ? { deleted: path } : { limits: trackJson(track) });
  },
};

/** With the places above that hold nothing any more. */
async function removeQuota({ client, signal }: Invocation, place: string): Promise<void> {
  for (const name of await client.children(place, { signal })) {
    // A quota further down stands among them since before nesting was refused.
    if (name === LIMITS || name === STATS) await client.delete(childPath(place, name), { signal });
  }
  for (let at = place; at.length > ROOT.length; at = parentPath(at)) {
    if ((await client.children(at, { signal })).length > 0) return;
    await client.delete(at, { signal });
  }
}
