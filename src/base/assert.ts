/** Invariants that hold in production too: a broken one is a bug in this process, never bad input. */

/** A state that the program's author believed impossible. Nothing catches it but the process's entry point. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  readonly code = 'INVARIANT';
}

/**
 * Throws unless the condition holds. Messages are static text, because building one costs more
 * than the check; put the facts into variables a debugger or a core dump will show.
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Ends an exhaustive switch: the compiler proves that no member of the union is left. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value: ${String(value)}`);
}
