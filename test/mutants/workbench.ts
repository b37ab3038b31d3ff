/** Copies of the compiled code in which something is wrong. */

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyPatch, type Mutant } from './mutant.ts';

/** The compiled code that this file is a part of. */
export const COMPILED = fileURLToPath(new URL('../..', import.meta.url));
const PARTS = [
  'src',
  'test/sim',
  'test/support',
  'test/unit/consensus',
  'test/unit/store',
  'test/mutants',
];

/** What the mutant makes of each file that it changes; throws when a place is not found exactly once. */
export function mutated({ patches }: Mutant, root: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const patch of patches) {
    const text = texts.get(patch.file) ?? readFileSync(join(root, patch.file), 'utf8');
    texts.set(patch.file, applyPatch(text, patch));
  }
  return texts;
}

export class Workbench {
  readonly directory: string;

  /** A copy of the compiled code in a temporary directory. */
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'vivarium-mutants-'));
    for (const part of PARTS) {
      cpSync(join(COMPILED, part), join(this.directory, part), {
        recursive: true,
        filter: (path) => !/\.(map|d\.ts)$/.test(path),
      });
    }
    writeFileSync(join(this.directory, 'package.json'), '{"type":"module"}');
    symlinkSync(join(packageRoot(), 'node_modules'), join(this.directory, 'node_modules'));
  }

  /** Puts the mutant in the place of the code, for as long as the work on it takes. */
  async with<T>(mutant: Mutant, work: () => Promise<T>): Promise<T> {
    const texts = mutated(mutant, COMPILED);
    for (const [file, text] of texts) writeFileSync(join(this.directory, file), text);
    try {
      return await work();
    } finally {
      for (const file of texts.keys()) cpSync(join(COMPILED, file), join(this.directory, file));
    }
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function packageRoot(): string {
  let directory = COMPILED;
  while (!existsSync(join(directory, 'node_modules'))) directory = dirname(directory);
  return directory;
}
