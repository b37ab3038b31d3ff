/**
 * Listens to what a server sends a client of ours, beside the client: the zxids that replies carry,
 * and events in their place among replies, which a history needs and a library need not show.
 */

import { invariant } from '../../src/base/assert.ts';
import type { ClientRuntime } from '../../src/client/index.ts';
import { FrameDecoder, FrameEvent } from '../../src/protocol/frame-decoder.ts';
import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { decodeReplyHeader, SpecialXid } from '../../src/protocol/records/header.ts';
import { decodeWatcherEvent } from '../../src/protocol/records/watch.ts';
import type { Address, ByteStream, Network, StreamHandler } from '../../src/runtime/runtime.ts';

export interface WireListener {
  /** To what the client asked, not to heartbeats and the like. Before the client knows of it. */
  replied(zxid: number): void;
  notified(type: number, path: string, zxid: number): void;
}

const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** The same world, overheard. */
export function tapped(runtime: ClientRuntime, listener: WireListener): ClientRuntime {
  const { network } = runtime;
  const overheard: Network = {
    listen: (options, onStream) => network.listen(options, onStream),
    connect: (address: Address, timeoutMs: number) =>
      overhear(network.connect(address, timeoutMs), listener),
  };
  const { clock, timers } = runtime;
  return { clock, timers, network: overheard, randomBytes: (count) => runtime.randomBytes(count) };
}

function overhear(stream: ByteStream, listener: WireListener): ByteStream {
  const attach = stream.attach.bind(stream);
  stream.attach = (handler: StreamHandler): void => {
    const connection = new Overheard(listener);
    attach({
      onOpen: () => handler.onOpen?.(),
      onData: (chunk) => {
        connection.hear(chunk);
        handler.onData(chunk);
      },
      onDrain: () => handler.onDrain?.(),
      onEnd: () => handler.onEnd?.(),
      onClose: (error) => handler.onClose(error),
    });
  };
  return stream;
}

class Overheard {
  readonly #listener: WireListener;
  readonly #decoder = new FrameDecoder(FRAME_BYTES_MAX, false);
  readonly #reader = new JuteReader();
  #isGreeted = false;

  constructor(listener: WireListener) {
    this.#listener = listener;
  }

  hear(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    for (;;) {
      const event = this.#decoder.next();
      if (event !== FrameEvent.frame) return;
      if (this.#isGreeted) this.#frame();
      // The first answer of a connection is about the session.
      this.#isGreeted = true;
    }
  }

  #frame(): void {
    this.#reader.aim(this.#decoder.bytes, this.#decoder.start, this.#decoder.end);
    const header = decodeReplyHeader(this.#reader);
    invariant(header !== undefined, 'the reply header cannot be decoded');
    if (header.xid === SpecialXid.notification) {
      const event = decodeWatcherEvent(this.#reader);
      invariant(event !== undefined, 'the event cannot be decoded');
      this.#listener.notified(event.type, event.path ?? '', header.zxid);
    } else if (header.xid > 0) this.#listener.replied(header.zxid);
  }
}
