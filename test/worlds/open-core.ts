/**
 * The compiled core with its private fields made public, so that a server's whole state can be
 * copied, compared and stored. The transformation is one of text (`#name` becomes `_name`) and works
 * on a copy: what is explored is what is shipped. A patch puts an old bug back into the copy.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ZabNode } from '../../src/consensus/zab-node.ts';

/** One change of the core's text. Its target must be there exactly once; white space does not matter. */
export interface Patch {
  /** Under `src`, without the extension. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface OpenCore {
  readonly ZabNode: typeof ZabNode;
}

const FOLDERS = ['base', 'consensus'] as const;
const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

/** Imports a core of its own: none of its classes is shared with other cores or with the tests. */
export async function openCore(patches: readonly Patch[] = []): Promise<OpenCore> {
  const directory = mkdtempSync(path.join(tmpdir(), 'vivarium-worlds-'));
  try {
    writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}\n');
    for (const folder of FOLDERS) copyFolder(folder, directory, patches);
    const door = pathToFileURL(path.join(directory, 'consensus', 'zab-node.js'));
    return await import(door.href);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function copyFolder(folder: string, directory: string, patches: readonly Patch[]): void {
  mkdirSync(path.join(directory, folder));
  for (const name of readdirSync(path.join(SOURCES, folder))) {
    if (!name.endsWith('.js')) continue;
    const file = `${folder}/${name.slice(0, -'.js'.length)}`;
    let text = opened(readFileSync(path.join(SOURCES, folder, name), 'utf8'));
    for (const patch of patches) if (patch.file === file) text = patched(text, patch);
    writeFileSync(path.join(directory, folder, name), text);
  }
}

function opened(text: string): string {
  return text.replace(/#([A-Za-z]\w*)/g, '_$1').replace(/^\/\/_ ?sourceMappingURL.*$/m, '');
}

function patched(text: string, { file, find, replace }: Patch): string {
  const words = find.trim().split(/\s+/).map(escaped);
  const pattern = new RegExp(words.join('\\s+'), 'g');
  const count = [...text.matchAll(pattern)].length;
  if (count !== 1) {
    throw new Error(`a patch of ${file} fits ${count} places instead of one: ${find.trim()}`);
  }
  return text.replace(pattern, () => replace);
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
