/**
 * A client on a host of its own, as client libraries are: one session over whatever server answers,
 * heartbeats, reconnecting with the last zxid seen, watches armed again. What it asks comes from its
 * workload, what it is told goes into the history.
 */

import { invariant } from '../../src/base/assert.ts';
import { ErrorCode } from '../../src/base/error-code.ts';
import { makeSessionId, SESSION_NONE } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { Prng } from '../../src/base/prng.ts';
import { EventType } from '../../src/base/watch-event.ts';
import { FrameDecoder, FrameEvent } from '../../src/protocol/frame-decoder.ts';
import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { decodeConnectResponse, encodeConnectRequest } from '../../src/protocol/records/connect.ts';
import {
  decodeReplyHeader,
  encodeRequestHeader,
  type ReplyHeader,
  SpecialXid,
} from '../../src/protocol/records/header.ts';
import {
  decodeWatcherEvent,
  encodeSetWatches,
  encodeSetWatches2,
} from '../../src/protocol/records/watch.ts';
import type { Address, ByteStream, Runtime } from '../../src/runtime/runtime.ts';
import { decodeReply, encodeDraft } from './client-requests.ts';
import {
  type Draft,
  type History,
  NO_REPLY,
  type Operation,
  type SessionKind,
  type SessionRecord,
} from './history.ts';
import { isRecursive } from './lasting-watch.ts';

/** What a client does, and how. */
export interface ClientProfile {
  readonly sessionTimeoutMs: number;
  /** Requests outstanding at most. */
  readonly depth: number;
  /** Pause before a request is sent, drawn up to this. */
  readonly thinkMaxMs: number;
  /** After an answer: that the client goes to another server, for no reason. */
  readonly roamProbability: number;
  /** The client agrees to servers that know no quorum. */
  readonly readsOnly: boolean;
}

export interface ClientWorkload {
  /** What to ask next, together; nothing ends the work. */
  next(): readonly Draft[];
  replied(operation: Operation): void;
  /** What was bound to the old session is of no use any more. */
  sessionEnded(): void;
}

export interface ClientContext {
  readonly runtime: Runtime;
  readonly prng: Prng;
  readonly history: History;
  readonly servers: readonly Address[];
  /** Of which kind sessions are when they begin. */
  readonly sessions: SessionKind;
  /** What only a broken server can make a client see. */
  readonly violations: string[];
}

type ConnectionState = 'none' | 'dialling' | 'greeting' | 'open';

const FRAME_BYTES_MAX = 1 << 20;
const CONNECT_TIMEOUT_MS = 300;
const RECONNECT_MAX_MS = 80;

export class SimClient {
  readonly number: number;
  readonly #context: ClientContext;
  readonly #profile: ClientProfile;
  readonly #workload: ClientWorkload;
  readonly #writer = new JuteWriter();
  readonly #reader = new JuteReader();
  /** Paths watched for good. */
  readonly #lasting = new Set<string>();
  readonly #watches: Record<'data' | 'exist' | 'child', Set<string>> = {
    data: new Set(),
    exist: new Set(),
    child: new Set(),
  };
  #state: ConnectionState = 'none';
  #stream: ByteStream | undefined;
  /** The server dialled last. */
  #hostName = '';
  /** It knows no quorum. */
  #isReadOnly = false;
  #decoder = new FrameDecoder(FRAME_BYTES_MAX, false);
  #session: SessionRecord | undefined;
  #password: Uint8Array = new Uint8Array(16);
  #lastZxid = 0;
  #lastHeardMs = 0;
  #greetedMs = 0;
  /** When those were sent that have no answer yet. */
  #pingsMs: number[] = [];
  #lastXid = 0;
  #outstanding: { readonly xid: number; readonly operation: Operation }[] = [];
  #isThinking = false;
  #isWorking = true;
  /** Asked for once by whoever runs the simulation, instead of the workload's. */
  #errands: Draft[] = [];

  constructor(context: ClientContext, profile: ClientProfile, workload: ClientWorkload) {
    this.number = context.history.addClient();
    this.#context = context;
    this.#profile = profile;
    this.#workload = workload;
    context.runtime.timers.every(profile.sessionTimeoutMs / 4, () => this.#beat());
    this.#connect();
  }

  get session(): SessionRecord | undefined {
    return this.#session;
  }

  get isConnected(): boolean {
    return this.#state === 'open';
  }

  /** Nothing is asked that was not answered. */
  get isIdle(): boolean {
    return this.#outstanding.length === 0 && this.#errands.length === 0;
  }

  /** No more requests come from the workload. */
  rest(): void {
    this.#isWorking = false;
  }

  /** Asks for these as soon as there is a connection. */
  ask(drafts: readonly Draft[]): void {
    this.#errands.push(...drafts);
    this.#work();
  }

  /** The client's process was killed: nobody will ever know what became of its requests. */
  died(): void {
    this.#lose();
    this.#isWorking = false;
    if (this.#session?.state === 'live') this.#session.state = 'abandoned';
  }

  // Connection ------------------------------------------------------------------------------------

  #connect(): void {
    const { runtime, prng, servers } = this.#context;
    const address = servers[prng.between(0, servers.length - 1)];
    invariant(address !== undefined, 'there is no server');
    this.#state = 'dialling';
    this.#hostName = address.host;
    this.#lastHeardMs = runtime.clock.monotonicMs();
    this.#decoder = new FrameDecoder(FRAME_BYTES_MAX, false);
    const stream = runtime.network.connect(address, CONNECT_TIMEOUT_MS);
    this.#stream = stream;
    stream.attach({
      onOpen: () => {
        if (this.#stream === stream) this.#greet();
      },
      onData: (chunk) => {
        if (this.#stream === stream) this.#received(chunk);
      },
      onEnd: () => {
        if (this.#stream === stream) this.#disconnect();
      },
      onClose: () => {
        if (this.#stream === stream) this.#disconnect();
      },
    });
  }

  #greet(): void {
    this.#state = 'greeting';
    this.#greetedMs = this.#context.history.nowMs;
    const mark = this.#writer.beginFrame();
    encodeConnectRequest(this.#writer, {
      protocolVersion: 0,
      lastZxidSeen: this.#lastZxid,
      timeoutMs: this.#profile.sessionTimeoutMs,
      sessionId: makeSessionId(this.#session?.id ?? SESSION_NONE),
      password: this.#password,
      readOnly: this.#profile.readsOnly,
    });
    this.#writer.endFrame(mark);
    this.#flush();
  }

  /** Gives the connection up and looks for another server. */
  #disconnect(): void {
    this.#lose();
    const { runtime, prng } = this.#context;
    runtime.timers.set(prng.between(1, RECONNECT_MAX_MS), () => {
      if (this.#state === 'none') this.#connect();
    });
  }

  /** The old server may hear of it, or find the connection silent for a while. */
  #roam(): void {
    if (this.#context.prng.chance(0.5)) this.#stream = undefined;
    this.#disconnect();
  }

  #lose(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#state = 'none';
    stream?.destroy();
    this.#writer.reset();
    const outstanding = this.#outstanding;
    this.#outstanding = [];
    this.#pingsMs = [];
    for (const { operation } of outstanding) this.#context.history.lost(operation);
    this.#context.history.saw(this.number, { kind: 'disconnected' });
    // Whether a close got through is not known: the session is left alone either way.
    const session = this.#session;
    if (session?.kind === 'temporary' && session.state === 'live') session.state = 'closed';
    if (session !== undefined && session.state !== 'live') this.#endSession();
  }

  #endSession(): void {
    this.#session = undefined;
    this.#password = new Uint8Array(16);
    for (const paths of Object.values(this.#watches)) paths.clear();
    this.#lasting.clear();
    this.#workload.sessionEnded();
  }

  #beat(): void {
    if (this.#state === 'none') return;
    const { sessionTimeoutMs } = this.#profile;
    const silentMs = this.#context.runtime.clock.monotonicMs() - this.#lastHeardMs;
    const limitMs = this.#state === 'open' ? (sessionTimeoutMs * 2) / 3 : CONNECT_TIMEOUT_MS;
    if (silentMs > limitMs) {
      this.#disconnect();
      return;
    }
    if (this.#state !== 'open' || this.#outstanding.length > 0) return;
    const mark = this.#writer.beginFrame();
    this.#pingsMs.push(this.#context.history.nowMs);
    encodeRequestHeader(this.#writer, SpecialXid.ping, OpCode.ping);
    this.#writer.endFrame(mark);
    this.#flush();
  }

  #flush(): void {
    if (this.#writer.length > 0) this.#stream?.write(this.#writer.take());
  }

  // Answers ---------------------------------------------------------------------------------------

  #received(chunk: Uint8Array): void {
    this.#lastHeardMs = this.#context.runtime.clock.monotonicMs();
    this.#decoder.push(chunk);
    const stream = this.#stream;
    while (this.#stream === stream) {
      const event = this.#decoder.next();
      if (event === FrameEvent.more) break;
      invariant(event === FrameEvent.frame, 'the server sent a frame of impossible length');
      this.#reader.aim(this.#decoder.bytes, this.#decoder.start, this.#decoder.end);
      if (this.#state === 'greeting') this.#welcomed();
      else this.#answered();
    }
    this.#work();
  }

  #welcomed(): void {
    const { history } = this.#context;
    const response = decodeConnectResponse(this.#reader);
    invariant(response !== undefined, 'the connect response cannot be decoded');
    if (response.timeoutMs === 0) {
      if (this.#session !== undefined) history.sessionExpired(this.#session, this.#hostName);
      this.#endSession();
      this.#disconnect();
      return;
    }
    const isNew = this.#session === undefined;
    const { sessionId, timeoutMs } = response;
    this.#isReadOnly = response.readOnly === true;
    if (this.#isReadOnly && !this.#profile.readsOnly) this.#violated('was let in to read only');
    const kind = this.#isReadOnly ? 'temporary' : this.#context.sessions;
    const session =
      this.#session ??
      history.sessionBegan(
        this.number,
        sessionId,
        timeoutMs,
        this.#hostName,
        kind,
        this.#greetedMs,
      );
    history.heard(session, this.#greetedMs);
    session.timeoutMs = timeoutMs;
    if (session.id !== response.sessionId) this.#violated('was given another session than its own');
    this.#session = session;
    this.#password = new Uint8Array(response.password ?? []);
    this.#state = 'open';
    this.#lastXid = 0;
    history.saw(this.number, { kind: 'connected', session, isNew });
    this.#armAgain();
  }

  /** As client libraries do: the newer request only where there is something for it. */
  #armAgain(): void {
    const { data, exist, child } = this.#watches;
    const isLasting = this.#lasting.size > 0;
    if (data.size + exist.size + child.size === 0 && !isLasting) return;
    const mark = this.#writer.beginFrame();
    const op = isLasting ? OpCode.setWatches2 : OpCode.setWatches;
    encodeRequestHeader(this.#writer, SpecialXid.setWatches, op);
    const watches = {
      relativeZxid: this.#lastZxid,
      data: [...data],
      exist: [...exist],
      child: [...child],
    };
    if (isLasting) {
      const lasting = [...this.#lasting];
      const recursive = lasting.filter(isRecursive);
      const persistent = lasting.filter((path) => !isRecursive(path));
      encodeSetWatches2(this.#writer, { ...watches, persistent, recursive });
    } else {
      encodeSetWatches(this.#writer, watches);
    }
    this.#writer.endFrame(mark);
    this.#flush();
  }

  #answered(): void {
    const header = decodeReplyHeader(this.#reader);
    invariant(header !== undefined, 'the reply header cannot be decoded');
    if (header.xid === SpecialXid.notification) {
      // Not a zxid seen: another event of the same transaction may still be under way, and a client
      // that claimed to have seen the transaction would never get it.
      this.#notified(header.zxid);
      return;
    }
    if (header.zxid > this.#lastZxid) this.#lastZxid = header.zxid;
    if (header.xid === SpecialXid.ping) this.#pinged();
    else if (header.xid !== SpecialXid.setWatches) this.#replied(header);
  }

  #pinged(): void {
    const sentMs = this.#pingsMs.shift();
    invariant(sentMs !== undefined && this.#session !== undefined, 'an answer to no ping');
    this.#context.history.heard(this.#session, sentMs);
  }

  #notified(zxid: number): void {
    const event = decodeWatcherEvent(this.#reader);
    const path = event?.path ?? undefined;
    invariant(event !== undefined && path !== undefined, 'the event cannot be decoded');
    const { data, exist, child } = this.#watches;
    const type = event.type as EventType;
    if (type === EventType.nodeChildrenChanged) child.delete(path);
    else {
      data.delete(path);
      exist.delete(path);
      if (type === EventType.nodeDeleted) child.delete(path);
    }
    this.#context.history.saw(this.number, { kind: 'event', type, path, zxid });
  }

  #replied(header: ReplyHeader): void {
    const front = this.#outstanding.shift();
    if (front === undefined || front.xid !== header.xid) {
      this.#violated(`got reply ${header.xid} and waited for ${front?.xid ?? 'none'}`);
      if (front !== undefined) this.#context.history.lost(front.operation);
      this.#disconnect();
      return;
    }
    const { operation } = front;
    const isOk = header.error === ErrorCode.ok;
    const reply = isOk ? decodeReply(this.#reader, operation.kind) : NO_REPLY;
    if (reply === undefined) this.#violated(`cannot decode the reply to a ${operation.kind}`);
    this.#context.history.answered(operation, header.zxid, header.error, reply ?? NO_REPLY);
    this.#checkReadOnly(operation);
    if (operation.watch) this.#armed(operation);
    if (operation.kind === 'addWatch' && isOk) this.#lasting.add(operation.path);
    this.#workload.replied(operation);
    if (operation.kind === 'close' && isOk) {
      this.#endSession();
      this.#disconnect();
    } else if (this.#isWorking && this.#context.prng.chance(this.#profile.roamProbability)) {
      this.#roam();
    }
  }

  /** Whoever knows no quorum neither changes anything nor says what is newest. */
  #checkReadOnly({ kind, changes, error }: Operation): void {
    const isRefused = this.#isReadOnly && (changes.length > 0 || kind === 'sync');
    if ((error === ErrorCode.notReadOnly) === isRefused) return;
    this.#violated(`was answered ${error} to a ${kind}, read-only: ${this.#isReadOnly}`);
  }

  #armed({ kind, path, error }: Operation): void {
    const { data, exist, child } = this.#watches;
    if (kind === 'exists' && error === ErrorCode.noNode) exist.add(path);
    else if (error === ErrorCode.ok) (kind === 'children' ? child : data).add(path);
  }

  #violated(what: string): void {
    this.#context.violations.push(`client ${this.number} ${what}`);
  }

  // Requests --------------------------------------------------------------------------------------

  #work(): void {
    if (this.#state !== 'open') return;
    if (this.#errands.length > 0) {
      const errands = this.#errands;
      this.#errands = [];
      this.#send(errands);
    }
    if (!this.#isWorking || this.#isThinking) return;
    if (this.#outstanding.length >= this.#profile.depth) return;
    this.#isThinking = true;
    const { runtime, prng } = this.#context;
    runtime.timers.set(prng.fraction() * this.#profile.thinkMaxMs, () => {
      this.#isThinking = false;
      if (this.#state !== 'open' || !this.#isWorking) return;
      const drafts = this.#workload.next();
      if (drafts.length === 0) this.#isWorking = false;
      this.#send(drafts);
      this.#work();
    });
  }

  #send(drafts: readonly Draft[]): void {
    const session = this.#session;
    // Behind a close nothing would be answered.
    if (session?.state !== 'live') return;
    for (const draft of drafts) {
      const xid = ++this.#lastXid;
      const operation = this.#context.history.began(session, draft);
      this.#outstanding.push({ xid, operation });
      encodeDraft(this.#writer, xid, operation);
    }
    this.#flush();
  }
}
