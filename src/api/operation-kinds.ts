/** Kinds of operations, by their numbers, that are treated alike. */

import { OpCode } from '../base/op-code.ts';
import type { ServingMode } from './backend.ts';
import { isWrite } from './handlers/write-reply.ts';

/**
 * Whether the mode refuses the operation, whatever else could be said of the request. Closing is not
 * refused in read-only mode: the session is as temporary as that.
 */
export function isForbidden(type: number, mode: ServingMode | undefined): boolean {
  if (mode !== 'read-only') return false;
  switch (type) {
    case OpCode.sync:
    case OpCode.check:
    case OpCode.deleteContainer:
      return true;
    default:
      return isWrite(type) && type !== OpCode.closeSession;
  }
}

/** Reads whose cost grows with the tree or with the request, and not only with one node's data. */
export function isList(type: number): boolean {
  switch (type) {
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
    case OpCode.multiRead:
    case OpCode.setWatches:
    case OpCode.setWatches2:
      return true;
    default:
      return false;
  }
}

/** Numbers that are no client's operation, those used among servers included: answered, then closed. */
export function isUnknown(type: number): boolean {
  switch (type) {
    case OpCode.ping:
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getAcl:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
    case OpCode.multiRead:
    case OpCode.addWatch:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.whoAmI:
    // The leader's own: refused, but the original knows it and leaves the connection open.
    case OpCode.deleteContainer:
      return false;
    default:
      return true;
  }
}
