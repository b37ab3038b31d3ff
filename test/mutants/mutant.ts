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
}

/** Whether some of it is in the consensus core; if not, the core alone cannot show it. */
export function isInCore({ patches }: Mutant): boolean {
  return patches.some(({ file }) => /^src\/(consensus|base)\//.test(file));
}

/** Whether some of it is in what keeps a server's data, or drives that. */
export function isInStore({ patches }: Mutant): boolean {
  return patches.some(({ file }) =>
    /^src\/(store|base)\/|^src\/server\/(log-writer|group-pace)/.test(file),
  );
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
  return { name, what, patches: [{ file: `src/${file}.js`, find, replace }] };
}
