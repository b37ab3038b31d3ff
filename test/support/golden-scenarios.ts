/**
 * The recorded conversations of `test/golden/client-protocol.jsonl`: raw bytes exchanged with Apache
 * ZooKeeper 3.8.0 and 3.9.5, one scenario a line.
 */

import { existsSync, readFileSync } from 'node:fs';

export type VolatileType = 'zxid' | 'time' | 'sid' | 'pw' | 'eventZxid';

/** Bytes that differ from run to run; offsets count from the frame's length field on. */
export interface VolatileRange {
  readonly at: number;
  readonly len: number;
  readonly type: VolatileType;
  /** Ranges of one name hold one value throughout the scenario. */
  readonly var?: string;
}

export interface GoldenStep {
  /** Label of a connection, opened when it is first named. */
  readonly conn: string;
  /** Hex to send, length fields included. */
  readonly send?: string;
  readonly sendVars?: readonly VolatileRange[];
  /** Hex of each frame that must come, in order; none: silence. */
  readonly expect: readonly string[];
  readonly volatile: readonly (readonly VolatileRange[])[];
  /** The server closes the connection after these frames. */
  readonly closed?: boolean;
  /** The answer is text without a length. */
  readonly unframed?: boolean;
  /** The elements of the reply's vector come in any order. */
  readonly unordered?: boolean;
  readonly note?: string;
}

export interface GoldenScenario {
  readonly name: string;
  readonly desc: string;
  readonly server: string;
  /** For which versions or switches it holds. */
  readonly applies: string;
  readonly steps: readonly GoldenStep[];
}

/** Whose behaviour is expected where releases differ: 3.8.0, or the last of 3.9. */
export type GoldenProfile = '3.8' | '3.9';

/** Switches a server must have on for the scenarios named `x-...`. */
export type GoldenSwitch = 'extendedTypesEnabled' | 'enforceQuota' | 'superDigest';

/** Scenarios recorded with `extendedTypesEnabled` off, which come out differently with it on. */
const WITHOUT_EXTENDED_TYPES: ReadonlySet<string> = new Set([
  'create-ttl-disabled',
  'create-op1-flags4',
]);

/** The file lies beside the sources, which are two levels further up from the compiled tests. */
export function loadGoldenScenarios(): readonly GoldenScenario[] {
  const path = findUpwards('test/golden/client-protocol.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line): GoldenScenario => JSON.parse(line));
}

/** The scenarios that hold for a server of this profile and with these switches on, no others. */
export function selectScenarios(
  scenarios: readonly GoldenScenario[],
  profile: GoldenProfile,
  switches: ReadonlySet<GoldenSwitch> = new Set(),
): readonly GoldenScenario[] {
  return scenarios.filter((scenario) => applies(scenario, profile, switches));
}

function applies(
  scenario: GoldenScenario,
  profile: GoldenProfile,
  switches: ReadonlySet<GoldenSwitch>,
): boolean {
  const needed = /^server with (\w+)$/.exec(scenario.applies)?.[1];
  if (needed !== undefined) return [...switches].some((name) => name === needed);
  if (switches.has('extendedTypesEnabled') && WITHOUT_EXTENDED_TYPES.has(scenario.name)) {
    return false;
  }
  if (scenario.applies === 'all') return true;
  // The others name either a span of releases that ends with 3.8.x, or the first that behave so.
  const isSince = /^3\.\d+\.\d+\+/.test(scenario.applies);
  return isSince === (profile === '3.9');
}

/** The first file of that relative path in this folder or one above it. */
export function findUpwards(path: string): URL {
  let base = new URL('./', import.meta.url);
  for (;;) {
    const candidate = new URL(path, base);
    if (existsSync(candidate)) return candidate;
    const parent = new URL('../', base);
    if (parent.href === base.href) throw new Error(`no ${path} above ${import.meta.url}`);
    base = parent;
  }
}
