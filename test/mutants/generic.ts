import type { Mutant } from './mutant.ts';

export const GENERIC: readonly Mutant[] = [];
