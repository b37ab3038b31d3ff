/** Turns single bits of what a stopped server has stored. */

import { closeSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Prng } from '../../src/base/prng.ts';

/** `LOG` is a text that nobody reads, `LOCK` is empty, and `myid` is its operator's. */
const NOT_DATA = /^(myid|LOCK|LOG|LOG\.old)$/;

/** Turns `count` bits anywhere below the directory, each byte of a file as likely as any other. Returns how many. */
export function flipBits(directory: string, count: number, prng: Prng): number {
  const files = filesBelow(directory);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) return 0;
  for (let done = 0; done < count; done++) {
    let at = Math.floor(prng.fraction() * total);
    for (const { file, bytes } of files) {
      if (at < bytes) {
        flipBit(file, at, prng.between(0, 7));
        break;
      }
      at -= bytes;
    }
  }
  return count;
}

function flipBit(file: string, position: number, bit: number): void {
  const descriptor = openSync(file, 'r+');
  try {
    const byte = new Uint8Array(1);
    readSync(descriptor, byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ (1 << bit);
    writeSync(descriptor, byte, 0, 1, position);
  } finally {
    closeSync(descriptor);
  }
}

function filesBelow(directory: string): { readonly file: string; readonly bytes: number }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !NOT_DATA.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ file, bytes: statSync(file).size }));
}
