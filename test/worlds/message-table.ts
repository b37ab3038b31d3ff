/** Messages by number: what is on a connection becomes a list of small integers. */

import type { Notification, QuorumMessage } from '../../src/consensus/messages.ts';
import type { StateCodec } from './state-codec.ts';

export class MessageTable<Message extends QuorumMessage | Notification> {
  readonly #codec: StateCodec;
  readonly #numbers = new Map<string, number>();
  /** Number 0 stays free. */
  readonly #messages: (Message | undefined)[] = [undefined];

  constructor(codec: StateCodec) {
    this.#codec = codec;
  }

  numberOf(message: Message): number {
    const text = this.#codec.encode(message, 0);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#messages.length;
      this.#numbers.set(text, number);
      this.#messages.push(message);
    }
    return number;
  }

  get(number: number): Message {
    const message = this.#messages[number];
    if (message === undefined) throw new RangeError(`no message ${number}`);
    return message;
  }
}
