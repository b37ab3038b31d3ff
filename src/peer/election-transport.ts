/**
 * Notifications between all servers, over the election ports. Each server dials each other one and
 * sends on the connection it dialled; only the newest notification waits for a connection, for
 * older ones say nothing any more.
 *
 * The connections are silent for days, so each side also sends a sign of life now and then. Without
 * it a peer that vanished without a word would seem to be there for hours: it would be waited for in
 * an election, what it sends after a long cut would wait for TCP to try again, and its successor
 * with a new disk would be taken for a second server with its number.
 */

import type { ServerId } from '../base/ids.ts';
import type { Reachability } from '../consensus/election.ts';
import type { Notification } from '../consensus/messages.ts';
import type { ByteStream, Listener, Timer } from '../runtime/runtime.ts';
import { typeOf } from './hot-codec.ts';
import { type Hello, type PeerIdentity, rivalReason } from './identity.ts';
import { decodeNotification, encodeFrame, encodeNotification } from './peer-codec.ts';
import { PeerLink, Strangers } from './peer-link.ts';
import type { PeerMember, PeerNetwork } from './peer-network.ts';

export interface ElectionHandler {
  onNotification(from: ServerId, notification: Notification): void;
  onReachability(sid: ServerId, reachability: Reachability): void;
  /** What a peer says of itself, as of now. */
  onMet(identity: PeerIdentity): void;
}

const CONNECT_TIMEOUT_MS = 2000;
const REDIAL_MIN_MS = 20;
const REDIAL_MAX_MS = 1000;
const SIGN_OF_LIFE_MS = 1000;
/** So many intervals without a sign of life end a connection. Counted, so that a pause of this process counts once. */
const SILENT_INTERVALS_MAX = 3;
/** Type of the frame, beside the notification's. */
const SIGN_OF_LIFE = 65;

interface Outgoing {
  readonly member: PeerMember;
  link: PeerLink | undefined;
  waiting: Notification | undefined;
  silentIntervals: number;
  redialMs: number;
  timer: Timer | undefined;
}

/** A connection that another server dialled. */
interface Incoming {
  /** Undefined until it has come. */
  hello: Hello | undefined;
  silentIntervals: number;
}

export class ElectionTransport {
  readonly #network: PeerNetwork;
  readonly #handler: ElectionHandler;
  readonly #outgoing = new Map<ServerId, Outgoing>();
  readonly #incoming = new Map<PeerLink, Incoming>();
  readonly #strangers = new Strangers();
  readonly #signOfLife = encodeFrame([SIGN_OF_LIFE]);
  #listener: Listener | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(network: PeerNetwork, handler: ElectionHandler) {
    this.#network = network;
    this.#handler = handler;
  }

  /** Rejects with a `RuntimeError` when the own election port cannot be bound. */
  async start(): Promise<void> {
    const { own, listenHost, runtime } = this.#network;
    const options = { host: listenHost, port: own.election.port };
    this.#listener = await runtime.network.listen(options, (stream) => this.#accept(stream));
    for (const member of this.#network.others) {
      const outgoing: Outgoing = {
        member,
        link: undefined,
        waiting: undefined,
        silentIntervals: 0,
        redialMs: REDIAL_MIN_MS,
        timer: undefined,
      };
      this.#outgoing.set(member.sid, outgoing);
      this.#dial(outgoing);
    }
    this.#timer = runtime.timers.every(SIGN_OF_LIFE_MS, () => this.#showLife());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== undefined) this.#network.runtime.timers.clear(this.#timer);
    for (const outgoing of this.#outgoing.values()) {
      if (outgoing.timer !== undefined) this.#network.runtime.timers.clear(outgoing.timer);
      outgoing.link?.close('stopping');
    }
    for (const link of [...this.#incoming.keys()]) link.close('stopping');
    await this.#listener?.close();
  }

  notify(to: ServerId, notification: Notification): void {
    const outgoing = this.#outgoing.get(to);
    if (outgoing === undefined) return;
    if (outgoing.link?.isOpen) outgoing.link.send(encodeNotification(notification));
    else outgoing.waiting = notification;
  }

  #dial(outgoing: Outgoing): void {
    outgoing.timer = undefined;
    const { member } = outgoing;
    const { runtime } = this.#network;
    outgoing.link = new PeerLink({
      runtime,
      stream: runtime.network.connect(member.election, CONNECT_TIMEOUT_MS),
      isDialler: true,
      hello: () => this.#network.hello(member.sid),
      judge: (link, hello) => this.#network.judge(link, hello, member.sid),
      handler: {
        onOpen: (link, hello) => this.#reached(outgoing, link, hello),
        // The accepting side has nothing else to say here.
        onFrame: (link, frame) => {
          if (typeOf(frame) === SIGN_OF_LIFE) outgoing.silentIntervals = 0;
          else link.close('unexpected message on an election connection');
        },
        onDrain: () => undefined,
        onClose: (_link, _reason, refusal) => this.#lost(outgoing, refusal),
      },
    });
  }

  #reached(outgoing: Outgoing, link: PeerLink, { identity }: Hello): void {
    outgoing.redialMs = REDIAL_MIN_MS;
    outgoing.silentIntervals = 0;
    const { waiting } = outgoing;
    outgoing.waiting = undefined;
    if (waiting !== undefined) link.send(encodeNotification(waiting));
    this.#handler.onReachability(outgoing.member.sid, 'up');
    this.#handler.onMet(identity);
  }

  #lost(outgoing: Outgoing, refusal: string | undefined): void {
    outgoing.link = undefined;
    if (refusal !== undefined) this.#network.refused(refusal);
    if (this.#isStopped) return;
    this.#handler.onReachability(outgoing.member.sid, 'down');
    outgoing.timer = this.#network.runtime.timers.set(outgoing.redialMs, () =>
      this.#dial(outgoing),
    );
    outgoing.redialMs = Math.min(outgoing.redialMs * 2, REDIAL_MAX_MS);
  }

  /** A peer that just said hello is back: no need to wait for the next attempt to reach it. */
  #hurry(sid: ServerId): void {
    const outgoing = this.#outgoing.get(sid);
    if (outgoing?.timer === undefined) return;
    this.#network.runtime.timers.clear(outgoing.timer);
    outgoing.redialMs = REDIAL_MIN_MS;
    this.#dial(outgoing);
  }

  #accept(stream: ByteStream): void {
    const link = new PeerLink({
      runtime: this.#network.runtime,
      stream,
      isDialler: false,
      hello: (theirs) => this.#network.hello(theirs?.identity.sid ?? this.#network.identity.sid),
      judge: (candidate, hello) => this.#judgeIncoming(candidate, hello),
      handler: {
        onOpen: (opened, hello) => this.#opened(opened, hello),
        onFrame: (from, frame) => this.#received(from, frame),
        onDrain: () => undefined,
        onClose: (closed, _reason, refusal) => {
          this.#strangers.delete(closed);
          this.#incoming.delete(closed);
          if (refusal !== undefined) this.#network.refused(refusal);
        },
      },
    });
    this.#incoming.set(link, { hello: undefined, silentIntervals: 0 });
    this.#strangers.add(link);
  }

  #judgeIncoming(link: PeerLink, hello: Hello): string | undefined {
    const reason = this.#network.judge(link, hello, undefined);
    if (reason !== undefined) return reason;
    for (const [other, { hello: known }] of this.#incoming) {
      if (known === undefined || known.identity.sid !== hello.identity.sid) continue;
      if (known.identity.incarnation === hello.identity.incarnation) continue;
      // A machine that came back with a new disk knows nothing of the old connection and resets it
      // now, so that its next attempt is let in; a living rival takes this for one sign more.
      other.send(this.#signOfLife);
      return rivalReason(hello.identity.sid, other.remote, link.remote);
    }
    return undefined;
  }

  #opened(link: PeerLink, hello: Hello): void {
    const { sid } = hello.identity;
    this.#strangers.delete(link);
    for (const [other, known] of [...this.#incoming]) {
      if (known.hello?.identity.sid === sid) other.close('the server connected again');
    }
    this.#incoming.set(link, { hello, silentIntervals: 0 });
    this.#handler.onMet(hello.identity);
    this.#hurry(sid);
  }

  #received(link: PeerLink, frame: Uint8Array): void {
    const incoming = this.#incoming.get(link);
    const from = incoming?.hello?.identity.sid;
    if (incoming === undefined || from === undefined) return;
    incoming.silentIntervals = 0;
    if (typeOf(frame) === SIGN_OF_LIFE) {
      link.send(this.#signOfLife);
      return;
    }
    const notification = decodeNotification(frame);
    if (notification === undefined) link.close('not a notification');
    else this.#handler.onNotification(from, notification);
  }

  #showLife(): void {
    for (const outgoing of this.#outgoing.values()) {
      const { link } = outgoing;
      if (link?.isOpen !== true) continue;
      outgoing.silentIntervals++;
      if (outgoing.silentIntervals > SILENT_INTERVALS_MAX) link.close('no sign of life');
      else link.send(this.#signOfLife);
    }
    for (const [link, incoming] of [...this.#incoming]) {
      incoming.silentIntervals++;
      if (incoming.silentIntervals > SILENT_INTERVALS_MAX && link.isOpen) {
        link.close('no sign of life');
      }
    }
  }
}
