/** Sends requests in their order: numbers them and writes their frames, as far as a server may take them. */

import { OpCode } from '../base/op-code.ts';
import type { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeRequestHeader, SpecialXid } from '../protocol/records/header.ts';
import type { Connection } from './connection.ts';
import type { FailDetails, PendingRequest } from './request.ts';
import type { RequestQueue } from './request-queue.ts';

const XID_MAX = 0x7fff_ffff;
/** Requests are sent in pieces of about this size, so that the socket's limit is looked at in between. */
const WRITE_BYTES = 64 * 1024;

export class RequestSender {
  readonly #queue: RequestQueue;
  readonly #requestBytesMax: number;
  #xid = 0;

  constructor(queue: RequestQueue, requestBytesMax: number) {
    this.#queue = queue;
    this.#requestBytesMax = requestBytesMax;
  }

  /** As much as the connection takes. A request that must not be sent fails. */
  send(connection: Connection): void {
    const { writer } = connection;
    while (!connection.isCongested) {
      const request = this.#queue.takeUnsent();
      if (request === undefined) break;
      request.xid = request.op === OpCode.auth ? SpecialXid.auth : this.#nextXid();
      const mark = writer.length;
      const refusal = this.#write(request, writer);
      if (refusal === undefined) this.#queue.sent(request);
      else {
        connection.flush(mark);
        request.fail('BAD_ARGUMENTS', refusal);
      }
      if (writer.length >= WRITE_BYTES) connection.flush();
    }
    if (writer.length > 0) connection.flush();
  }

  /** Appends a frame. What it returns is why the frame must not be sent. */
  #write(request: PendingRequest, writer: JuteWriter): FailDetails | undefined {
    const mark = writer.beginFrame();
    encodeRequestHeader(writer, request.xid, request.op);
    try {
      request.encode(writer);
    } catch (cause) {
      // What a program without types may pass: half a record must not reach the server.
      return { reason: 'the arguments cannot be encoded', cause };
    }
    writer.endFrame(mark);
    const frameBytes = writer.length - mark - 4;
    const limit = this.#requestBytesMax;
    if (frameBytes <= limit) return undefined;
    return { reason: `a request of ${frameBytes} bytes, more than the ${limit} allowed` };
  }

  #nextXid(): number {
    this.#xid = this.#xid === XID_MAX ? 1 : this.#xid + 1;
    return this.#xid;
  }
}
