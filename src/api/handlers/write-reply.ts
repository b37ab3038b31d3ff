/** What a client is told of its write, from what applying it yielded. */

import { invariant } from '../../base/assert.ts';
import { ErrorCode } from '../../base/error-code.ts';
import { OpCode } from '../../base/op-code.ts';
import type { JuteWriter } from '../../protocol/jute-writer.ts';
import { encodeCreate2Reply, encodeCreateReply } from '../../protocol/records/create-reply.ts';
import { encodeMultiReply } from '../../protocol/records/multi-reply.ts';
import { encodeStat } from '../../protocol/records/stat.ts';
import type { ApplyResult } from '../../store/data-tree.ts';

/** Whether the operation changes state and so goes through the ensemble; the original's internal ones do not count. */
export function isWrite(op: number): op is OpCode {
  switch (op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setAcl:
    case OpCode.multi:
    case OpCode.reconfig:
    case OpCode.closeSession:
      return true;
    default:
      return false;
  }
}

/** Writes the reply's record; the operation, not the kind of node made, decides its shape. */
export function encodeWriteReply(writer: JuteWriter, op: OpCode, result: ApplyResult): void {
  invariant(result.error === ErrorCode.ok, 'body for a failed request');
  switch (op) {
    case OpCode.create:
      invariant(result.path !== null, 'created node without a path');
      encodeCreateReply(writer, result.path);
      return;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      invariant(result.path !== null, 'created node without a path');
      invariant(result.stat !== null, 'created node without a stat');
      encodeCreate2Reply(writer, result.path, result.stat);
      return;
    case OpCode.setData:
    case OpCode.setAcl:
      invariant(result.stat !== null, 'changed node without a stat');
      encodeStat(writer, result.stat);
      return;
    case OpCode.multi:
      encodeMultiReply(writer, result.results);
      return;
    default:
      invariant(op === OpCode.delete || op === OpCode.closeSession, 'not an operation that writes');
  }
}
