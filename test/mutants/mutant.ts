/** A change to the compiled code that a test must notice. */

/** One place: the text must be there exactly once. */
export interface Patch {
  /** Below the root of the compiled code, with `.js`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A test that must fail with the mutant and pass without it. */
export interface DirectedTest {
  /** Below the root of the compiled code, with `.js`. */
  readonly file: string;
  /** Its name, or how its name begins. */
  readonly name: string;
}

export interface Mutant {
  readonly name: string;
  /** What is wrong with it. */
  readonly what: string;
  readonly patches: readonly Patch[];
  /** The schedule of its own, for guards. */
  readonly directed?: DirectedTest;
  /** False: nothing of it is in the consensus core, so the core alone cannot show it. */
  readonly isInCore: boolean;
}

export function applyPatch(text: string, { file, find, replace }: Patch): string {
  const count = text.split(find).length - 1;
  if (count !== 1) {
    throw new Error(`${file} has ${count} places, not one, that read:\n${find}`);
  }
  return text.replace(find, () => replace);
}

/** A mutant of one place below `src`; without `.js`. */
export function mutantAt(
  file: string,
  name: string,
  what: string,
  [find, replace]: readonly [find: string, replace: string],
): Mutant {
  const isInCore = file.startsWith('consensus/') || file.startsWith('base/');
  return { name, what, patches: [{ file: `src/${file}.js`, find, replace }], isInCore };
}
