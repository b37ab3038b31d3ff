/**
 * Makes a transaction of a request: validates it against the state as it will be when every earlier
 * transaction has been applied, and fixes what every replica must do alike (the sequence number in
 * a name, the new version, the paths a closing session takes along). Runs on the leader only and
 * changes nothing but its own record of what is pending.
 *
 * The order of checks is the original's, because clients see which error comes first. A request
 * that fails becomes a transaction too: it takes its place in the order and changes nothing.
 */

import { type Acl, type Identity, Perm } from '../base/acl.ts';
import { ErrorCode } from '../base/error-code.ts';
import { SESSION_NONE, type SessionId, type Zxid } from '../base/ids.ts';
import { CreateMode, OpCode } from '../base/op-code.ts';
import { hasParentPath, isValidPath, parentPath } from '../base/path.ts';
import type { WriteRequest } from '../base/write-request.ts';
import { expandAcl, isAllowed, ownChars } from './acl.ts';
import {
  createType,
  hasTtl,
  isEphemeralMode,
  isSequential,
  ownerOf,
  sequenceText,
} from './create-flags.ts';
import type { DataTree } from './data-tree.ts';
import { type NodeView, Outstanding } from './outstanding.ts';
import { TTL_MAX_MS } from './owner.ts';
import { PendingSessions } from './pending-sessions.ts';
import type { QuotaExcess } from './quota.ts';
import { type ErrorTxn, type TxnBody, TxnType } from './txn.ts';

/** Who asks, and which place in the order the transaction will have. */
export interface PrepareContext {
  /** The client's session; for createSession and closeSession the one concerned; 0: the leader itself. */
  readonly sessionId: SessionId;
  readonly identities: readonly Identity[];
  readonly zxid: Zxid;
  /** The server that sent the request vouches for the session, which it alone knows. */
  readonly isLocal?: boolean;
}

export interface PreparerOptions {
  /** Whether nodes with a time to live may be created; every server must agree. */
  readonly extendedTypes?: boolean;
  /** Nobody is refused anything for lack of a permission. */
  readonly skipAcl?: boolean;
  /** Whether a change that goes beyond a hard limit is refused. */
  readonly enforceQuota?: boolean;
  /** Told of every change beyond a limit, soft or hard, refused or not. */
  readonly quotaExceeded?: (excess: QuotaExcess) => void;
}

const ANY_VERSION = -1;
/**
 * Characters of paths that the end of a session lists. Whoever applies it finds the rest by itself;
 * listed, long paths by the thousand would make a transaction that no server could send in time.
 */
const CLOSING_CHARS_MAX = 1024 * 1024;
/** Characters that entries of scheme auth may stand for in one request, all its ACLs together. */
const OWN_CHARS_MAX = 1024 * 1024;
/** Creating it would set a quota on the root, which the original does not survive. */
const ROOT_QUOTA_PATH = '/zookeeper/quota/zookeeper_limits';

export class Preparer {
  readonly #outstanding: Outstanding;
  readonly #sessions: PendingSessions;
  readonly #tree: DataTree;
  readonly #extendedTypes: boolean;
  readonly #skipAcl: boolean;
  readonly #enforceQuota: boolean;
  readonly #quotaExceeded: (excess: QuotaExcess) => void;
  /** Characters that the request being prepared has got by entries of scheme auth so far. */
  #ownChars = 0;

  constructor(tree: DataTree, options: PreparerOptions = {}) {
    this.#tree = tree;
    this.#outstanding = new Outstanding(tree);
    this.#sessions = new PendingSessions(tree.sessions);
    this.#extendedTypes = options.extendedTypes ?? false;
    this.#skipAcl = options.skipAcl ?? false;
    this.#enforceQuota = options.enforceQuota ?? false;
    this.#quotaExceeded = options.quotaExceeded ?? (() => undefined);
  }

  /** Nodes with changes that are prepared and not yet applied. */
  get pendingCount(): number {
    return this.#outstanding.size;
  }

  /** Whether a transaction not yet applied changes the node or its children. */
  isPending(path: string): boolean {
    return this.#outstanding.isPending(path);
  }

  /**
   * The body of the transaction at `context.zxid`, which is greater than that of every earlier
   * call. Never throws: what cannot be done is a body of type error. `data` in the body is the
   * request's own view: encode the body, or copy it, before the frame goes.
   */
  prepare(request: WriteRequest, context: PrepareContext): TxnBody {
    this.#ownChars = 0;
    return this.#prepare(request, context);
  }

  /** The tree has applied this transaction. To be called in the same step, or the two disagree. */
  applied(zxid: Zxid): void {
    this.#outstanding.applied(zxid);
    this.#sessions.applied(zxid);
  }

  /** Forgets everything pending: this server no longer leads. */
  reset(): void {
    this.#outstanding.clear();
    this.#sessions.clear();
  }

  #prepare(request: WriteRequest, context: PrepareContext): TxnBody {
    switch (request.op) {
      case OpCode.multi:
        return this.#multi(request, context);
      case OpCode.createSession:
        this.#sessions.created(context.sessionId, context.zxid);
        return { type: TxnType.createSession, timeoutMs: request.durationMs };
      case OpCode.closeSession:
        return this.#closeSession(context);
      case OpCode.setAcl:
        return this.#setAcl(request, context);
      case OpCode.deleteContainer:
        return this.#deleteContainer(request, context);
      case OpCode.reconfig:
        return failure(ErrorCode.reconfigDisabled);
      case OpCode.check:
        // Alone it would be a read that takes a place in the order; only a multi may hold one.
        return failure(ErrorCode.unimplemented);
      default:
        return this.#member(request, context, false);
    }
  }

  /** Operations that may stand alone as well as in a multi, and check. */
  #member(request: WriteRequest, context: PrepareContext, inMulti: boolean): TxnBody {
    switch (request.op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return this.#create(request, context, inMulti);
      case OpCode.delete:
        return this.#delete(request, context);
      case OpCode.setData:
        return this.#setData(request, context);
      case OpCode.check:
        return this.#check(request, context);
      default:
        return failure(ErrorCode.unimplemented);
    }
  }

  #create(request: WriteRequest, context: PrepareContext, inMulti: boolean): TxnBody {
    const { sessionId, zxid } = context;
    const badMode = this.#checkMode(request, inMulti);
    if (badMode !== ErrorCode.ok) return failure(badMode);
    if (isEphemeralMode(request.flags) && !this.#sessions.isOpen(sessionId)) {
      // A node without a replicated session would outlive its owner.
      const isLocal = context.isLocal === true;
      return failure(isLocal ? ErrorCode.ephemeralOnLocalSession : ErrorCode.sessionExpired);
    }
    if (!this.#isOpen(context)) return failure(ErrorCode.sessionExpired);
    const asked = request.path;
    if (asked === null) return failure(ErrorCode.marshallingError);
    if (!hasParentPath(asked)) return failure(ErrorCode.badArguments);
    const acl = this.#expandAcl(request, context);
    if (acl === undefined) return failure(ErrorCode.invalidAcl);
    const parentAt = parentPath(asked);
    const parent = this.#outstanding.find(parentAt);
    if (parent === undefined) return failure(ErrorCode.noNode);
    if (!this.#isAllowed(parent, Perm.create, context)) return failure(ErrorCode.noAuth);
    const path = isSequential(request.flags) ? asked + sequenceText(parent.creates) : asked;
    if (!isValidPath(path) || path === ROOT_QUOTA_PATH) return failure(ErrorCode.badArguments);
    if (this.#outstanding.find(path) !== undefined) return failure(ErrorCode.nodeExists);
    if (parent.isEphemeral) return failure(ErrorCode.noChildrenForEphemerals);
    const dataLength = request.data === null ? 0 : request.data.length;
    const quota = this.#checkQuota(path, dataLength, 1);
    if (quota !== ErrorCode.ok) return failure(quota);

    const type = createType(request, inMulti);
    const ephemeralOwner = ownerOf(type, request, sessionId);
    const parentCversion = (parent.creates + 1) | 0;
    const isEphemeral = ephemeralOwner === sessionId && sessionId !== SESSION_NONE;
    this.#outstanding.childCreated(parentAt, zxid, parent, parentCversion);
    this.#outstanding.created(path, zxid, dataLength, acl, ephemeralOwner, isEphemeral);
    return { type, path, data: request.data, acl, ephemeralOwner, parentCversion };
  }

  /** The checks of a create that look at nothing but the request. */
  #checkMode(request: WriteRequest, inMulti: boolean): ErrorCode {
    const { flags, op, durationMs } = request;
    if (flags < CreateMode.persistent || flags > CreateMode.persistentSequentialTtl) {
      return ErrorCode.badArguments;
    }
    if (hasTtl(flags)) {
      if (!this.#extendedTypes) return ErrorCode.unimplemented;
      return durationMs > 0 && durationMs <= TTL_MAX_MS ? ErrorCode.ok : ErrorCode.badArguments;
    }
    if (op !== OpCode.createTtl || inMulti) return ErrorCode.ok;
    // The original lets a ttl of -1 pass here and then fails to apply what it has logged.
    return ErrorCode.badArguments;
  }

  #delete(request: WriteRequest, context: PrepareContext): TxnBody {
    const { zxid } = context;
    if (!this.#isOpen(context)) return failure(ErrorCode.sessionExpired);
    const path = request.path;
    if (path === null) return failure(ErrorCode.marshallingError);
    if (!isDeletable(path)) return failure(ErrorCode.badArguments);
    const parentAt = parentPath(path);
    const parent = this.#outstanding.find(parentAt);
    if (parent === undefined) return failure(ErrorCode.noNode);
    if (!this.#isAllowed(parent, Perm.delete, context)) return failure(ErrorCode.noAuth);
    const node = this.#outstanding.find(path);
    if (node === undefined) return failure(ErrorCode.noNode);
    if (!isExpected(request.version, node.version)) return failure(ErrorCode.badVersion);
    if (node.numChildren > 0) return failure(ErrorCode.notEmpty);
    this.#outstanding.childDeleted(parentAt, zxid, parent);
    this.#outstanding.deleted(path, zxid, node);
    return { type: TxnType.delete, path };
  }

  /** The leader's own sweep: no session, no permission. A client that sends it is turned away. */
  #deleteContainer(request: WriteRequest, context: PrepareContext): TxnBody {
    if (context.sessionId !== SESSION_NONE) return failure(ErrorCode.unimplemented);
    const path = request.path;
    if (path === null || !isDeletable(path)) return failure(ErrorCode.badArguments);
    const node = this.#outstanding.find(path);
    if (node === undefined) return failure(ErrorCode.noNode);
    if (node.numChildren > 0) return failure(ErrorCode.notEmpty);
    // Looked at again, because an ordinary node may stand there by now.
    const isSweepable = node.storedOwner !== SESSION_NONE && !node.isEphemeral;
    if (!isSweepable) return failure(ErrorCode.badVersion);
    this.#removeNode(path, context.zxid, node);
    return { type: TxnType.deleteContainer, path };
  }

  #setData(request: WriteRequest, context: PrepareContext): TxnBody {
    if (!this.#isOpen(context)) return failure(ErrorCode.sessionExpired);
    const path = request.path;
    if (!isValidPath(path)) return failure(ErrorCode.badArguments);
    const node = this.#outstanding.find(path);
    if (node === undefined) return failure(ErrorCode.noNode);
    if (!this.#isAllowed(node, Perm.write, context)) return failure(ErrorCode.noAuth);
    const dataLength = request.data === null ? 0 : request.data.length;
    const quota = this.#checkQuota(path, dataLength - node.dataLength, 0);
    if (quota !== ErrorCode.ok) return failure(quota);
    if (!isExpected(request.version, node.version)) return failure(ErrorCode.badVersion);
    const version = (node.version + 1) | 0;
    this.#outstanding.dataSet(path, context.zxid, node, version, dataLength);
    return { type: TxnType.setData, path, data: request.data, version };
  }

  #setAcl(request: WriteRequest, context: PrepareContext): TxnBody {
    if (!this.#isOpen(context)) return failure(ErrorCode.sessionExpired);
    const path = request.path;
    if (!isValidPath(path)) return failure(ErrorCode.badArguments);
    const acl = this.#expandAcl(request, context);
    if (acl === undefined) return failure(ErrorCode.invalidAcl);
    const node = this.#outstanding.find(path);
    if (node === undefined) return failure(ErrorCode.noNode);
    if (!this.#isAllowed(node, Perm.admin, context)) return failure(ErrorCode.noAuth);
    if (!isExpected(request.version, node.aversion)) return failure(ErrorCode.badVersion);
    const version = (node.aversion + 1) | 0;
    this.#outstanding.aclSet(path, context.zxid, node, acl, version);
    return { type: TxnType.setAcl, path, acl, version };
  }

  #check(request: WriteRequest, context: PrepareContext): TxnBody {
    if (!this.#isOpen(context)) return failure(ErrorCode.sessionExpired);
    const path = request.path;
    if (!isValidPath(path)) return failure(ErrorCode.badArguments);
    const node = this.#outstanding.find(path);
    if (node === undefined) return failure(ErrorCode.noNode);
    if (!this.#isAllowed(node, Perm.read, context)) return failure(ErrorCode.noAuth);
    if (!isExpected(request.version, node.version)) return failure(ErrorCode.badVersion);
    return { type: TxnType.check, path };
  }

  /** A few bytes of a multi may name identities of many: what they come to is bounded in all. */
  #expandAcl(request: WriteRequest, context: PrepareContext): readonly Acl[] | undefined {
    this.#ownChars += ownChars(request.acl, context.identities);
    if (this.#ownChars > OWN_CHARS_MAX) return undefined;
    return expandAcl(request.acl, context.identities);
  }

  #isOpen(context: PrepareContext): boolean {
    return context.isLocal === true || this.#sessions.isOpen(context.sessionId);
  }

  #isAllowed(node: NodeView, needed: number, context: PrepareContext): boolean {
    return this.#skipAcl || isAllowed(node.acl, needed, context.identities);
  }

  /** Usage is what the tree holds now, not what pending changes will make of it, as in the original. */
  #checkQuota(path: string, bytesDiff: number, countDiff: number): ErrorCode {
    const error = this.#tree.quotas.check(path, bytesDiff, countDiff, this.#quotaExceeded);
    return this.#enforceQuota ? error : ErrorCode.ok;
  }

  /** Each member sees what the earlier ones will have done; one that fails undoes them all. */
  #multi(request: WriteRequest, context: PrepareContext): TxnBody {
    const position = this.#outstanding.position;
    const ops: TxnBody[] = [];
    for (const member of request.ops) {
      const body = this.#member(member, context, true);
      if (body.type === TxnType.error) {
        this.#outstanding.rollback(position);
        return { type: TxnType.multi, ops: failedOps(request.ops.length, ops.length, body) };
      }
      ops.push(body);
    }
    return { type: TxnType.multi, ops };
  }

  #closeSession(context: PrepareContext): TxnBody {
    const { sessionId, zxid } = context;
    const paths: string[] = [];
    let chars = 0;
    for (const path of this.#outstanding.ephemeralPaths(sessionId)) {
      const node = this.#outstanding.find(path);
      if (node !== undefined) this.#removeNode(path, zxid, node);
      chars += path.length;
      if (chars <= CLOSING_CHARS_MAX) paths.push(path);
    }
    this.#sessions.closing(sessionId, zxid);
    return { type: TxnType.closeSession, paths };
  }

  #removeNode(path: string, zxid: Zxid, node: NodeView): void {
    const parentAt = parentPath(path);
    const parent = this.#outstanding.find(parentAt);
    if (parent !== undefined) this.#outstanding.childDeleted(parentAt, zxid, parent);
    this.#outstanding.deleted(path, zxid, node);
  }
}

function failure(error: ErrorCode): ErrorTxn {
  return { type: TxnType.error, error };
}

/** Results of a failed multi: 0 for what was rolled back, the error, -2 for what was not tried. */
function failedOps(count: number, failedAt: number, error: ErrorTxn): ErrorTxn[] {
  const ops: ErrorTxn[] = [];
  for (let at = 0; at < count; at++) {
    if (at < failedAt) ops.push(failure(ErrorCode.ok));
    else ops.push(at === failedAt ? error : failure(ErrorCode.runtimeInconsistency));
  }
  return ops;
}

/** Only -1 stands for any version; every other number must match, negative ones too. */
function isExpected(expected: number, actual: number): boolean {
  return expected === ANY_VERSION || expected === actual;
}

function isDeletable(path: string): boolean {
  if (!hasParentPath(path)) return false;
  switch (path) {
    case '/':
    case '/zookeeper':
    case '/zookeeper/quota':
    case '/zookeeper/config':
      return false;
    default:
      return true;
  }
}
