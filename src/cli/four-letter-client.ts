/** Asks a server one of the four letter words, as `nc` would. */

import type { Address, Runtime } from '../runtime/runtime.ts';

/** The part of the runtime that a question needs. */
export type Asker = Pick<Runtime, 'network' | 'timers'>;

/**
 * Resolves to the whole answer as text. Rejects when the server cannot be reached, closes the
 * connection with an error, or has not answered completely within `timeoutMs`.
 */
export function askFourLetter(
  runtime: Asker,
  address: Address,
  word: string,
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder();
    let answer = '';
    const stream = runtime.network.connect(address, timeoutMs);
    const timer = runtime.timers.set(timeoutMs, () => {
      stream.destroy();
      reject(new Error(`no answer from ${address.host}:${address.port} in ${timeoutMs} ms`));
    });
    stream.attach({
      onOpen: () => {
        stream.write(new TextEncoder().encode(word));
      },
      onData: (chunk) => {
        answer += decoder.decode(chunk, { stream: true });
      },
      onEnd: () => stream.end(),
      onClose: (error) => {
        runtime.timers.clear(timer);
        if (error === undefined) resolve(answer);
        else reject(error);
      },
    });
  });
}
