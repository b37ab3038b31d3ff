/**
 * While a client sits on a read-only server it asks the others, one after the other and ever more
 * seldom, whether they have found a quorum (the command `isro`).
 */

import type { Address, ByteStream, Timer } from '../runtime/runtime.ts';
import type { ClientRuntime } from './client-options.ts';
import type { HostList } from './host-list.ts';

const FIRST_PAUSE_MS = 100;
const PAUSE_MAX_MS = 60_000;
const ANSWER_TIMEOUT_MS = 1000;
const QUESTION = 'isro';
const YES = 'rw';

export class ReadWriteSearch {
  readonly #runtime: ClientRuntime;
  readonly #hosts: HostList;
  readonly #found: (address: Address) => void;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: Timer | undefined;
  #stream: ByteStream | undefined;

  /** `found` is called once at most; the search is over then. */
  constructor(runtime: ClientRuntime, hosts: HostList, found: (address: Address) => void) {
    this.#runtime = runtime;
    this.#hosts = hosts;
    this.#found = found;
    this.#pause();
  }

  stop(): void {
    if (this.#timer !== undefined) this.#runtime.timers.clear(this.#timer);
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.destroy();
  }

  #pause(): void {
    this.#timer = this.#runtime.timers.set(this.#pauseMs, () => this.#ask(this.#hosts.next()));
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MAX_MS);
  }

  #ask(address: Address): void {
    let text = '';
    const stream = this.#runtime.network.connect(address, ANSWER_TIMEOUT_MS);
    this.#stream = stream;
    const decide = (): void => {
      if (this.#stream !== stream) return;
      this.stop();
      if (text === YES) this.#found(address);
      else this.#pause();
    };
    stream.attach({
      onOpen: () => {
        stream.write(new TextEncoder().encode(QUESTION));
      },
      onData: (chunk) => {
        text += new TextDecoder().decode(chunk);
      },
      onEnd: decide,
      onClose: decide,
    });
    this.#timer = this.#runtime.timers.set(ANSWER_TIMEOUT_MS, decide);
  }
}
