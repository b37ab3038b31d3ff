/** Several reads in one request, each with a result or an error of its own. Servers from 3.6 on. */

import { OpCode } from '../base/op-code.ts';
import {
  decodeMultiReadReply,
  encodeMultiRead,
  type MultiReadOp,
  type MultiReadResult as WireResult,
} from '../protocol/records/multi-read.ts';
import { codeOfNumber, KeeperError } from './keeper-error.ts';
import type { MultiHost } from './multi.ts';
import type { Abortable, NodeData } from './node-types.ts';
import { ownBytes, refusePath } from './read-calls.ts';
import type { Call } from './request.ts';

/** What one read gave: `value`, or the error it alone failed with. */
export type ReadOutcome<T> =
  | { readonly value: T; readonly error: undefined }
  | { readonly value: undefined; readonly error: KeeperError };

interface Member {
  readonly op: MultiReadOp;
  readonly path: string;
  readonly refusal: KeeperError | undefined;
}

/** Gathers reads; `commit` sends them as one. `Outcomes` grows with each. */
export class MultiRead<Outcomes extends readonly ReadOutcome<unknown>[] = []> {
  readonly #host: MultiHost;
  readonly #members: Member[] = [];

  constructor(host: MultiHost) {
    this.#host = host;
  }

  get(path: string): MultiRead<[...Outcomes, ReadOutcome<NodeData>]> {
    return this.#add(OpCode.getData, 'get', path);
  }

  children(path: string): MultiRead<[...Outcomes, ReadOutcome<string[]>]> {
    return this.#add(OpCode.getChildren, 'children', path);
  }

  /** All of them as of one moment. */
  commit({ signal }: Abortable = {}): Promise<Outcomes> {
    const members = [...this.#members];
    if (members.length === 0) return Promise.resolve([] as unknown as Outcomes);
    const ops = members.map((member) => member.op);
    const call: Call<readonly ReadOutcome<unknown>[]> = {
      op: OpCode.multiRead,
      name: 'multiRead',
      path: undefined,
      isWrite: false,
      refusal: members.find((member) => member.refusal !== undefined)?.refusal,
      encode: (writer) => encodeMultiRead(writer, ops),
      decode: (reader) => {
        const results = decodeMultiReadReply(reader);
        if (results?.length !== members.length) return undefined;
        return { value: members.map(({ path }, index) => outcomeOf(path, results[index])) };
      },
    };
    return this.#host.ask(call, signal) as Promise<unknown> as Promise<Outcomes>;
  }

  #add<Next extends readonly ReadOutcome<unknown>[]>(
    type: MultiReadOp['type'],
    name: string,
    path: string,
  ): MultiRead<Next> {
    const op = { type, path: this.#host.chroot.toServer(path) };
    this.#members.push({ op, path, refusal: refusePath(name, path) });
    return this as unknown as MultiRead<Next>;
  }
}

function outcomeOf(path: string, wire: WireResult | undefined): ReadOutcome<NodeData | string[]> {
  if (wire?.names) return { value: [...wire.names], error: undefined };
  if (wire?.stat) {
    return { value: { data: ownBytes(wire.data), stat: wire.stat }, error: undefined };
  }
  const number = wire?.error ?? 0;
  const error = new KeeperError(codeOfNumber(number), 'multiRead', { path, number });
  return { value: undefined, error };
}
