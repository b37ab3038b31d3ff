/** Answers to what a server alone can answer: reads from its tree, watches, pings, refusals. */

import { type Acl, type Identity, Perm } from '../base/acl.ts';
import { ErrorCode } from '../base/error-code.ts';
import { sessionIdHex } from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import type { JuteReader } from '../protocol/jute-reader.ts';
import { HEADER_ZXID_NONE, SpecialXid } from '../protocol/records/header.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { whoAmI } from './handlers/auth.ts';
import {
  exists,
  getAcl,
  getChildren,
  getData,
  isPermitted,
  type ReadContext,
  WATCHES_FULL,
} from './handlers/read.ts';
import { getAllChildrenNumber, getEphemerals, multiRead } from './handlers/read-many.ts';
import { setWatches, setWatches2 } from './handlers/set-watches.ts';
import { addWatch, checkWatches, removeWatches } from './handlers/watch.ts';
import { isForbidden, isUnknown } from './operation-kinds.ts';
import type { ReplyWriter } from './reply-writer.ts';

export class LocalAnswers {
  readonly #connection: Connection;
  readonly #replies: ReplyWriter;
  readonly #host: ConnectionHost;
  readonly #context: ReadContext;
  #isWarnedOfLimit = false;

  constructor(connection: Connection, host: ConnectionHost, identities: readonly Identity[]) {
    this.#connection = connection;
    this.#replies = connection.replies;
    this.#host = host;
    this.#context = {
      tree: host.backend.tree,
      watches: host.watches,
      watcher: connection.place,
      identities,
      skipAcl: host.options.access.skipAcl,
      isReplyTooLong: false,
      replyBytesMax: host.options.replyBytesMax,
    };
  }

  /** Whether a client with these identities may read a node with the ACL. */
  mayRead(acl: readonly Acl[], identities: readonly Identity[]): boolean {
    this.#context.identities = identities;
    return isPermitted(this.#context, acl, Perm.read);
  }

  /** Answers a request that needs nobody else; the reader stands behind its header. */
  answer(
    xid: number,
    type: number,
    identities: readonly Identity[],
    receivedMs: number,
    reader: JuteReader,
  ): void {
    const connection = this.#connection;
    const replies = this.#replies;
    if (type === OpCode.setWatches || type === OpCode.setWatches2) {
      this.#answerSetWatches(xid, type, identities, receivedMs, reader);
      return;
    }
    if (isUnknown(type) && !isForbidden(type, this.#host.backend.mode)) {
      const mark = replies.begin(xid, HEADER_ZXID_NONE);
      replies.end(mark, type, xid, ErrorCode.unimplemented, receivedMs);
      connection.endAfterReplies();
      return;
    }
    // Whatever xid a ping carries, clients look for the reply under the xid of pings.
    const replyXid = type === OpCode.ping ? SpecialXid.ping : xid;
    const mark = replies.begin(replyXid, replies.zxidFrom(this.#host.backend.lastZxid));
    const bodyAt = replies.writer.length;
    const error = this.#bounded(this.#read(type, identities, reader), bodyAt);
    if (error !== ErrorCode.ok) replies.writer.truncate(bodyAt);
    replies.end(mark, type, replyXid, error, receivedMs);
  }

  /** The outcome of a read as the client is told: a limit that it met is counted, and noted once. */
  #bounded(error: ErrorCode, bodyAt: number): ErrorCode {
    const { counters } = this.#host.stats;
    const context = this.#context;
    const isTooLong =
      context.isReplyTooLong || this.#replies.writer.length - bodyAt > context.replyBytesMax;
    context.isReplyTooLong = false;
    if (isTooLong) {
      counters.repliesTooLong += 1;
      this.#warnOfLimit('reply too long');
      return ErrorCode.marshallingError;
    }
    if (error === WATCHES_FULL) {
      counters.watchesRefused += 1;
      this.#warnOfLimit('too many watches');
    }
    return error;
  }

  #warnOfLimit(limit: string): void {
    if (this.#isWarnedOfLimit) return;
    this.#isWarnedOfLimit = true;
    const { remoteHost, sessionId } = this.#connection;
    this.#host.log.warn('limit met', {
      limit,
      session: sessionIdHex(sessionId),
      remote: remoteHost,
    });
  }

  #read(type: number, identities: readonly Identity[], reader: JuteReader): ErrorCode {
    const context = this.#context;
    context.tree = this.#host.backend.tree;
    context.identities = identities;
    const writer = this.#replies.writer;
    switch (type) {
      case OpCode.ping:
        return ErrorCode.ok;
      case OpCode.exists:
        return exists(context, reader, writer);
      case OpCode.getData:
        return getData(context, reader, writer);
      case OpCode.getAcl:
        return getAcl(context, reader, writer);
      case OpCode.getChildren:
        return getChildren(context, reader, writer, false);
      case OpCode.getChildren2:
        return getChildren(context, reader, writer, true);
      case OpCode.multiRead:
        return multiRead(context, reader, writer);
      case OpCode.getEphemerals:
        return getEphemerals(context, reader, writer);
      case OpCode.getAllChildrenNumber:
        return getAllChildrenNumber(context, reader, writer);
      case OpCode.addWatch:
        return addWatch(context, reader, writer);
      case OpCode.checkWatches:
        return checkWatches(context, reader);
      case OpCode.removeWatches:
        return removeWatches(context, reader);
      case OpCode.whoAmI:
        whoAmI(identities, writer);
        return ErrorCode.ok;
      default:
        return isForbidden(type, this.#host.backend.mode)
          ? ErrorCode.notReadOnly
          : ErrorCode.unimplemented;
    }
  }

  #answerSetWatches(
    xid: number,
    type: typeof OpCode.setWatches | typeof OpCode.setWatches2,
    identities: readonly Identity[],
    receivedMs: number,
    reader: JuteReader,
  ): void {
    const context = this.#context;
    const connection = this.#connection;
    const replies = this.#replies;
    context.tree = this.#host.backend.tree;
    context.identities = identities;
    const set = type === OpCode.setWatches ? setWatches : setWatches2;
    const error = this.#bounded(set(context, reader, connection), replies.writer.length);
    if (connection.isClosed) return;
    if (error === WATCHES_FULL) {
      connection.drop('too many watches');
      return;
    }
    const mark = replies.begin(xid, replies.zxidFrom(this.#host.backend.lastZxid));
    replies.end(mark, type, xid, error, receivedMs);
  }
}
