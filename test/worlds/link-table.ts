/**
 * Connections by number. Each is from a learner to a leader; what is under way on it arrives in its
 * order. When one end closes, the other learns of it after what was sent before; when the network
 * breaks it, what is under way is lost and each end learns of it in its own time.
 */

/** Stands in a queue for the end of the connection. */
export const CLOSED = 0;
/** The number of no connection. */
export const NO_LINK = 0;

export interface Link {
  readonly hasDialler: boolean;
  readonly hasAcceptor: boolean;
  readonly toAcceptor: readonly number[];
  readonly toDialler: readonly number[];
}

const Op = {
  pushToAcceptor: 0,
  pushToDialler: 1,
  popAtAcceptor: 2,
  popAtDialler: 3,
  diallerCloses: 4,
  acceptorCloses: 5,
  breaks: 6,
} as const;
type Op = (typeof Op)[keyof typeof Op];

const MESSAGES_MAX = 0x1_0000;
const OPS_MAX = 8;

export class LinkTable {
  readonly #numbers = new Map<string, number>();
  readonly #links: Link[] = [];
  /** What each operation on each connection leads to. */
  readonly #results = new Map<number, number>();
  readonly fresh: number;

  constructor() {
    this.#numberOf({ hasDialler: false, hasAcceptor: false, toAcceptor: [], toDialler: [] });
    this.fresh = this.#numberOf({
      hasDialler: true,
      hasAcceptor: true,
      toAcceptor: [],
      toDialler: [],
    });
  }

  get(number: number): Link {
    const link = this.#links[number];
    if (link === undefined) throw new RangeError(`no connection ${number}`);
    return link;
  }

  sentByDialler(link: number, message: number): number {
    return this.#result(link, Op.pushToAcceptor, message);
  }

  sentByAcceptor(link: number, message: number): number {
    return this.#result(link, Op.pushToDialler, message);
  }

  taken(link: number, atAcceptor: boolean): number {
    return this.#result(link, atAcceptor ? Op.popAtAcceptor : Op.popAtDialler, CLOSED);
  }

  closed(link: number, byAcceptor: boolean): number {
    return this.#result(link, byAcceptor ? Op.acceptorCloses : Op.diallerCloses, CLOSED);
  }

  /** What was sent to the dialler arrives as far as the first `kept` messages. */
  broken(link: number, kept: number): number {
    return this.#result(link, Op.breaks, kept);
  }

  #result(link: number, op: Op, message: number): number {
    if (link === NO_LINK) return NO_LINK;
    if (message >= MESSAGES_MAX) throw new RangeError('too many different messages');
    const key = (link * MESSAGES_MAX + message) * OPS_MAX + op;
    let result = this.#results.get(key);
    if (result === undefined) {
      result = this.#numberOf(changed(this.get(link), op, message));
      this.#results.set(key, result);
    }
    return result;
  }

  #numberOf(link: Link): number {
    const isGone = !link.hasDialler && !link.hasAcceptor && this.#links.length > 0;
    if (isGone) return NO_LINK;
    const text = JSON.stringify(link);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#links.length;
      this.#numbers.set(text, number);
      this.#links.push(link);
    }
    return number;
  }
}

/** `message` is what is sent; with a break, how many messages are kept. */
function changed(link: Link, op: Op, message: number): Link {
  const { hasDialler, hasAcceptor, toAcceptor, toDialler } = link;
  switch (op) {
    case Op.pushToAcceptor:
      return hasAcceptor ? { ...link, toAcceptor: pushed(toAcceptor, message) } : link;
    case Op.pushToDialler:
      return hasDialler ? { ...link, toDialler: pushed(toDialler, message) } : link;
    case Op.popAtAcceptor:
      if (toAcceptor[0] === CLOSED) return { ...link, hasAcceptor: false, toAcceptor: [] };
      return { ...link, toAcceptor: toAcceptor.slice(1) };
    case Op.popAtDialler:
      if (toDialler[0] === CLOSED) return { ...link, hasDialler: false, toDialler: [] };
      return { ...link, toDialler: toDialler.slice(1) };
    case Op.diallerCloses:
      if (!hasDialler) return link;
      return { ...changed(link, Op.pushToAcceptor, CLOSED), hasDialler: false, toDialler: [] };
    case Op.acceptorCloses:
      if (!hasAcceptor) return link;
      return { ...changed(link, Op.pushToDialler, CLOSED), hasAcceptor: false, toAcceptor: [] };
    case Op.breaks:
      return {
        ...link,
        toAcceptor: hasAcceptor ? [CLOSED] : [],
        toDialler: hasDialler ? pushed(toDialler.slice(0, message), CLOSED) : [],
      };
  }
}

/** Nothing comes after the end. */
function pushed(queue: readonly number[], message: number): readonly number[] {
  return queue.at(-1) === CLOSED ? queue : [...queue, message];
}
