/** The transaction that makes a replicated session of a local one, ahead of the request that needs it. */

import type { ClientWrite } from '../api/backend.ts';
import type { Identity } from '../base/acl.ts';
import type { SessionId } from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import { createSessionRecord } from '../protocol/records/write-request.ts';

export class SessionUpgrade implements ClientWrite {
  readonly sessionId: SessionId;
  readonly cxid = 0;
  readonly op = OpCode.createSession;
  readonly payload: Uint8Array;
  readonly identities: readonly Identity[];

  /** `cause`: the request of the session that comes right behind. */
  constructor(cause: ClientWrite, timeoutMs: number) {
    this.sessionId = cause.sessionId;
    this.identities = cause.identities;
    this.payload = createSessionRecord(timeoutMs);
  }

  /** The client waits for the request behind, whose outcome says all. */
  completed(): void {}

  dropped(): void {}
}
