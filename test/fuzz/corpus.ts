/**
 * Inputs worth trying every time: what recorded clients sent, and everything that ever did harm.
 *
 * A file of `test/fuzz/corpus` holds one input as hex, white space anywhere, `#` before a remark;
 * its name begins with what it is fed to (`client`, `peer-hello`, `peer-message`, `txn`).
 */

import { readdirSync, readFileSync } from 'node:fs';
import { findUpwards, loadGoldenScenarios } from '../support/golden-scenarios.ts';
import { fromHex } from '../support/hex.ts';

export interface CorpusEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The entries for one consumer, by name. */
export function loadCorpus(prefix: string): readonly CorpusEntry[] {
  const directory = new URL('./', findUpwards('test/fuzz/corpus/README.md'));
  const names = readdirSync(directory).filter((name) => name.startsWith(prefix));
  return names
    .filter((name) => name.endsWith('.hex'))
    .sort()
    .map((name) => ({ name, bytes: parseHex(readFileSync(new URL(name, directory), 'utf8')) }));
}

function parseHex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new TypeError('a corpus file holds hex and remarks');
  return fromHex(digits);
}

/** What recorded clients sent within their sessions, length fields included. */
export function goldenFrames(): readonly Uint8Array[] {
  const frames = new Map<string, Uint8Array>();
  for (const { steps } of loadGoldenScenarios()) {
    const connected = new Set<string>();
    for (const { conn, send } of steps) {
      if (send === undefined) continue;
      if (connected.has(conn)) frames.set(send, fromHex(send));
      connected.add(conn);
    }
  }
  return [...frames.values()];
}
