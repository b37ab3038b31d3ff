/** Transactions: several changes, all or none. */

import { ErrorCode } from '../base/error-code.ts';
import { OpCode } from '../base/op-code.ts';
import type { Stat } from '../base/stat.ts';
import {
  decodeMultiReply,
  type MultiResult as WireResult,
} from '../protocol/records/multi-reply.ts';
import { encodeWriteRequest, makeWriteRequest } from '../protocol/records/write-request.ts';
import type { Chroot } from './chroot.ts';
import { codeOfNumber, KeeperError, type KeeperErrorCode } from './keeper-error.ts';
import type { Abortable, Data, NodeOptions } from './node-types.ts';
import type { Answer, Call } from './request.ts';
import { type Change, checkChange, createChange, deleteChange, setChange } from './write-calls.ts';

/** Result of `create` in a transaction. */
export interface CreateResult {
  readonly type: 'create';
  readonly path: string;
  /** Of servers that send it: for `stat: true`, containers and nodes with a TTL. */
  readonly stat: Stat | undefined;
}

export interface SetResult {
  readonly type: 'set';
  readonly stat: Stat;
}

export interface DeleteResult {
  readonly type: 'delete';
}

export interface CheckResult {
  readonly type: 'check';
}

export type MultiResult = CreateResult | SetResult | DeleteResult | CheckResult;
type OperationType = MultiResult['type'];

/** What became of one operation of a transaction that failed. */
export interface MultiFailure {
  readonly type: OperationType;
  readonly path: string;
  /** `OK`: it would have been done. `RUNTIME_INCONSISTENCY`: it was not tried. */
  readonly code: 'OK' | KeeperErrorCode;
}

/** Rejection of a transaction that the server refused: nothing was changed. */
export class MultiError extends KeeperError {
  /** Which of the operations is to blame, counted from 0. */
  readonly failedIndex: number;
  readonly failures: readonly MultiFailure[];

  constructor(failedIndex: number, number: number, failures: readonly MultiFailure[]) {
    const failed = failures[failedIndex];
    const name = `multi, operation ${failedIndex} (${failed?.type ?? 'none'})`;
    super(codeOfNumber(number), name, { path: failed?.path, number });
    this.failedIndex = failedIndex;
    this.failures = failures;
  }
}

/** What a transaction needs of its client. */
export interface MultiHost {
  readonly chroot: Chroot;
  ask<T>(call: Call<T>, signal: AbortSignal | undefined): Promise<T>;
}

interface Member {
  readonly type: OperationType;
  readonly change: Change;
}

/**
 * Gathers operations; `commit` sends them as one. `Results` grows with each, so that the compiler
 * knows what the committed array holds.
 */
export class Multi<Results extends readonly MultiResult[] = []> {
  readonly #host: MultiHost;
  readonly #members: Member[] = [];

  constructor(host: MultiHost) {
    this.#host = host;
  }

  /** Operations so far. */
  get length(): number {
    return this.#members.length;
  }

  create(
    path: string,
    data: Data = '',
    options: NodeOptions & { readonly stat?: boolean | undefined } = {},
  ): Multi<[...Results, CreateResult]> {
    const { chroot } = this.#host;
    return this.#add('create', createChange(chroot, path, data, options, options.stat === true));
  }

  set(
    path: string,
    data: Data,
    options: { readonly version?: number | undefined } = {},
  ): Multi<[...Results, SetResult]> {
    return this.#add('set', setChange(this.#host.chroot, path, data, options.version));
  }

  delete(
    path: string,
    options: { readonly version?: number | undefined } = {},
  ): Multi<[...Results, DeleteResult]> {
    return this.#add('delete', deleteChange(this.#host.chroot, path, options.version));
  }

  /** The others count only if the node is there, in this version if one is given. */
  check(
    path: string,
    options: { readonly version?: number | undefined } = {},
  ): Multi<[...Results, CheckResult]> {
    return this.#add('check', checkChange(this.#host.chroot, path, options.version));
  }

  /**
   * Does all of it or nothing. Rejects with a `MultiError` that says which operation failed, or as
   * any operation does. May be called again, to try once more.
   */
  commit({ signal }: Abortable = {}): Promise<Results> {
    const members = [...this.#members];
    if (members.length === 0) return Promise.resolve([] as unknown as Results);
    const ops = members.map((member) => member.change.request);
    const request = makeWriteRequest(OpCode.multi, { ops });
    const call: Call<readonly MultiResult[]> = {
      op: OpCode.multi,
      name: 'multi',
      path: undefined,
      isWrite: true,
      refusal: members.find((member) => member.change.refusal !== undefined)?.change.refusal,
      encode: (writer) => encodeWriteRequest(writer, request),
      decode: (reader) => {
        const results = decodeMultiReply(reader);
        return results && answerOf(members, results, this.#host.chroot);
      },
    };
    return this.#host.ask(call, signal) as Promise<unknown> as Promise<Results>;
  }

  #add<Next extends readonly MultiResult[]>(type: OperationType, change: Change): Multi<Next> {
    this.#members.push({ type, change });
    return this as unknown as Multi<Next>;
  }
}

function answerOf(
  members: readonly Member[],
  wire: readonly WireResult[],
  chroot: Chroot,
): Answer<readonly MultiResult[]> | KeeperError | undefined {
  if (wire.length !== members.length) return undefined;
  const failedIndex = wire.findIndex(
    ({ error }) => error !== ErrorCode.ok && error !== ErrorCode.runtimeInconsistency,
  );
  const failed = wire[failedIndex] ?? wire.find(({ type }) => type === OpCode.error);
  if (failed !== undefined) {
    const failures = members.map(({ type, change }, index) => {
      const error = wire[index]?.error ?? ErrorCode.ok;
      return { type, path: change.path, code: error === 0 ? 'OK' : codeOfNumber(error) } as const;
    });
    return new MultiError(failedIndex, failed.error, failures);
  }
  const value: MultiResult[] = [];
  for (const [index, member] of members.entries()) {
    const result = resultOf(member.type, wire[index], chroot);
    if (result === undefined) return undefined;
    value.push(result);
  }
  return { value };
}

function resultOf(
  type: OperationType,
  wire: WireResult | undefined,
  chroot: Chroot,
): MultiResult | undefined {
  if (wire === undefined) return undefined;
  const { path, stat } = wire;
  switch (type) {
    case 'create':
      if (path === null) return undefined;
      return { type, path: chroot.toClient(path), stat: stat ?? undefined };
    case 'set':
      return stat === null ? undefined : { type, stat };
    case 'delete':
    case 'check':
      return { type };
  }
}
