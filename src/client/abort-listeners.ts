/**
 * Who is told that a signal aborts. A signal may be shared by thousands of operations under way;
 * it gets one listener for all of them, because the platform takes more than ten for a leak.
 */

const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/** The listener is called once, when the signal aborts, unless it is taken off before. */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  const known = listenersOf.get(signal);
  if (known !== undefined) {
    known.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  listenersOf.set(signal, listeners);
  const tellAll = (): void => {
    for (const each of listeners) each();
  };
  signal.addEventListener('abort', tellAll, { once: true });
}

/** Nothing happens when it was never put on. */
export function offAbort(signal: AbortSignal, listener: () => void): void {
  listenersOf.get(signal)?.delete(listener);
}
