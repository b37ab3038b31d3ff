/** One operation on its way: what is sent, what its reply means, and the promise its caller holds. */

import { ErrorCode } from '../base/error-code.ts';
import type { OpCode } from '../base/op-code.ts';
import type { JuteReader } from '../protocol/jute-reader.ts';
import type { JuteWriter } from '../protocol/jute-writer.ts';
import { offAbort, onAbort } from './abort-listeners.ts';
import { codeOfNumber, KeeperError, type KeeperErrorCode } from './keeper-error.ts';

/** What a method of the client asks for. */
export interface Call<T> {
  readonly op: OpCode;
  /** The client's method, for errors. */
  readonly name: string;
  /** As the caller named it, for errors. */
  readonly path: string | undefined;
  /** Writes the record behind the header; called once for every time the request is sent. */
  readonly encode: (writer: JuteWriter) => void;
  /**
   * Reads the record of a reply without error. A `KeeperError` rejects, `undefined` is undecodable.
   * The reader's bytes are gone when it returns.
   */
  readonly decode: (reader: JuteReader) => Answer<T> | KeeperError | undefined;
  /** The result that one error stands for, as NO_NODE does for exists. */
  readonly resultOf?: ((error: number) => Answer<T> | undefined) | undefined;
  /** Told of the reply's error before the promise is settled: the place to note a watch. */
  readonly onReply?: ((error: number) => void) | undefined;
  /** True: sending it twice may do it twice. */
  readonly isWrite: boolean;
  /** Why it need not be sent at all. */
  readonly refusal?: KeeperError | undefined;
}

/** Boxed, because `undefined` is a result too. */
export interface Answer<T> {
  readonly value: T;
}

/** The answer of operations that have none but "done". */
export const DONE: Answer<undefined> = { value: undefined };

/** How the session sees a request of any type. */
export interface PendingRequest {
  readonly op: OpCode;
  readonly isWrite: boolean;
  /** The caller has its answer, or gave up; a reply is still awaited if the request was sent. */
  readonly isSettled: boolean;
  /** Given when it is sent. */
  xid: number;
  isSent: boolean;
  /** Times it was sent and not answered. */
  lossCount: number;
  encode(writer: JuteWriter): void;
  /** False: the reply cannot be decoded. */
  answered(error: number, reader: JuteReader): boolean;
  fail(code: KeeperErrorCode, details?: FailDetails): void;
}

export interface FailDetails {
  readonly cause?: unknown;
  readonly reason?: string | undefined;
}

export class Request<T> implements PendingRequest {
  readonly promise: Promise<T>;
  xid = 0;
  isSent = false;
  lossCount = 0;
  readonly #call: Call<T>;
  readonly #signal: AbortSignal | undefined;
  #resolve: (value: T) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #isSettled = false;

  constructor(call: Call<T>, signal: AbortSignal | undefined) {
    this.#call = call;
    this.#signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal?.aborted === true) this.#onAbort();
    else if (signal !== undefined) onAbort(signal, this.#onAbort);
  }

  get op(): OpCode {
    return this.#call.op;
  }

  get isWrite(): boolean {
    return this.#call.isWrite;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  encode(writer: JuteWriter): void {
    this.#call.encode(writer);
  }

  answered(error: number, reader: JuteReader): boolean {
    if (this.#isSettled) return true;
    const call = this.#call;
    const answer = error === ErrorCode.ok ? call.decode(reader) : call.resultOf?.(error);
    if (answer === undefined && error === ErrorCode.ok) {
      this.fail('MARSHALLING_ERROR', { reason: 'the reply cannot be decoded' });
      return false;
    }
    call.onReply?.(error);
    if (answer === undefined) this.#refused(error);
    else if (answer instanceof KeeperError) this.#settleWith(answer);
    else {
      this.#settle();
      this.#resolve(answer.value);
    }
    return true;
  }

  fail(code: KeeperErrorCode, { cause, reason }: FailDetails = {}): void {
    if (this.#isSettled) return;
    const { name, path, isWrite } = this.#call;
    const outcomeUnknown = isWrite && this.isSent;
    this.#settleWith(new KeeperError(code, name, { path, outcomeUnknown, cause, reason }));
  }

  #refused(error: number): void {
    const { name, path } = this.#call;
    this.#settleWith(new KeeperError(codeOfNumber(error), name, { path, number: error }));
  }

  readonly #onAbort = (): void => {
    this.fail('ABORTED', { cause: this.#signal?.reason });
  };

  #settleWith(error: KeeperError): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort);
  }
}
