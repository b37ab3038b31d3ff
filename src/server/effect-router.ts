/** Has each effect of the core carried out by the part of the server that it is for. */

import { unreachable } from '../base/assert.ts';
import { type Zxid, zxidHex } from '../base/ids.ts';
import type { Effect, Role, SyncReport } from '../consensus/effects.ts';
import type { Applier } from './applier.ts';
import type { ServerConfig } from './config.ts';
import { FatalError } from './fatal-error.ts';
import type { LogWriter } from './log-writer.ts';
import type { Log } from './logger.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { PeerSide } from './peer-side.ts';
import type { Replica } from './replica.ts';
import type { SnapshotReceiver } from './snapshot-transfer.ts';

export interface EffectRouterParts {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly metrics: NodeMetrics;
  readonly replica: Replica;
  readonly writer: LogWriter;
  readonly applier: Applier;
  readonly receiver: SnapshotReceiver;
  /** undefined when this server stands alone. */
  readonly peers: PeerSide | undefined;
  readonly roleChanged: (role: Role) => void;
}

export class EffectRouter {
  readonly #parts: EffectRouterParts;

  constructor(parts: EffectRouterParts) {
    this.#parts = parts;
  }

  /** Throws a `FatalError` of code `DATA` when the core found that it must not go on. */
  carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        this.#parts.writer.add(effect.request);
        return;
      case 'notify':
      case 'dial':
      case 'send':
      case 'broadcast':
      case 'close':
      case 'sendSnapshot':
      case 'readLog':
        this.#parts.peers?.carryOut(effect);
        return;
      case 'stageBegin':
        this.#parts.receiver.begin();
        return;
      case 'stageChunk':
        this.#parts.receiver.add(effect.bytes);
        return;
      case 'stageEnd':
        this.#parts.receiver.finish(effect.zxid, effect.summary);
        return;
      case 'stageAbort':
        this.#parts.receiver.abort();
        return;
      case 'apply':
        this.#parts.applier.applyUpTo(effect.upTo);
        return;
      case 'barrier':
        this.#parts.replica.barrier(effect.token, effect.zxid);
        return;
      case 'role':
        this.#parts.roleChanged(effect.role);
        return;
      case 'learnerReady':
        this.#learnerReady(effect.report);
        return;
      case 'trace':
        this.#parts.log.info(effect.event, printable(effect.fields));
        return;
      case 'fatal':
        throw new FatalError('DATA', `server ${this.#parts.config.serverId}: ${effect.reason}`);
      default:
        unreachable(effect);
    }
  }

  #learnerReady(report: SyncReport): void {
    const { log, metrics, replica } = this.#parts;
    const { sid, mode, from, to } = report;
    metrics.count(`${mode}_count`);
    const fields = { sid, mode: mode.toUpperCase(), from: zxidHex(from), to: zxidHex(to) };
    log.info('learnerSynced', fields);
    if (replica.mode === 'leader') replica.comparison.show();
  }
}

/** Zxids in hex: as numbers nobody can read them. */
function printable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { zxid } = fields;
  return typeof zxid === 'number' ? { ...fields, zxid: zxidHex(zxid as Zxid) } : { ...fields };
}
