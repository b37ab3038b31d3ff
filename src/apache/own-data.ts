/** Opens the data of a server of ours that does not run, to read it. */

import type { Zxid } from '../base/ids.ts';
import { zxidHex } from '../base/ids.ts';
import type { PlainFiles } from '../runtime/plain-files.ts';
import { RuntimeError, type Storage } from '../runtime/runtime.ts';
import { DataTree } from '../store/data-tree.ts';
import { logDirectory, stateDirectory } from '../store/directories.ts';
import { readLogMeta } from '../store/log-meta.ts';
import { loadState } from '../store/state-load.ts';
import { StateStore } from '../store/state-store.ts';
import type { Txn } from '../store/txn.ts';
import { decodeTxn, TxnDecodeError } from '../store/txn-codec.ts';
import { type LogEntry, TxnLog } from '../store/txn-log.ts';
import { ApacheDataError } from './apache-data-error.ts';

const READ_BYTES = 1024 * 1024;

export class OwnData {
  readonly log: TxnLog;
  readonly state: StateStore;
  readonly #close: () => Promise<void>;

  private constructor(log: TxnLog, state: StateStore, close: () => Promise<void>) {
    this.log = log;
    this.state = state;
    this.#close = close;
  }

  /**
   * Rejects with an `ApacheDataError` when there is no data or a server runs on it, with a
   * `StoreError` or `RuntimeError` when the data are damaged.
   */
  static async open(
    storage: Storage,
    dataDir: string,
    dataLogDir: string = dataDir,
  ): Promise<OwnData> {
    const logPath = logDirectory(dataLogDir);
    const statePath = stateDirectory(dataDir);
    for (const path of [logPath, statePath]) {
      if (await storage.exists(path)) continue;
      const remedy = 'name the dataDir of a server, and its dataLogDir if it has one';
      throw new ApacheDataError('NOT_FOUND', path, 'there is no data of Vivarium', remedy);
    }
    try {
      return await OwnData.#open(storage, logPath, statePath);
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'STORE_LOCKED') throw error;
      const remedy = 'stop it first';
      throw new ApacheDataError('TARGET_IN_USE', dataDir, 'a server is running on it', remedy);
    }
  }

  static async #open(storage: Storage, logPath: string, statePath: string): Promise<OwnData> {
    const logStore = await storage.open(logPath, { create: false });
    const meta = await readLogMeta(logStore);
    if (meta === undefined) {
      await logStore.close();
      const remedy = 'start the server on it once, or name another directory';
      throw new ApacheDataError('NOT_FOUND', logPath, 'no server has ever started on it', remedy);
    }
    const log = await TxnLog.open(logStore, { serverId: meta.serverId });
    const stateStore = await storage.open(statePath, { create: false });
    const state = await StateStore.open(stateStore, meta.generation);
    return new OwnData(log, state, async () => {
      await log.close();
      await stateStore.close();
    });
  }

  /** The tree as of the last checkpoint. */
  async loadTree(): Promise<DataTree> {
    const tree = new DataTree({ extendedTypes: true });
    await loadState(this.state, tree);
    return tree;
  }

  /** The transactions in the log behind a zxid. Throws an `ApacheDataError` at one that is damaged. */
  async *txnsAfter(after: Zxid): AsyncGenerator<{ readonly zxid: Zxid; readonly txn: Txn }> {
    let position = after;
    for (;;) {
      const entries = await this.log.read(position, READ_BYTES);
      const last = entries.at(-1);
      if (last === undefined) return;
      for (const entry of entries) yield { zxid: entry.zxid, txn: decoded(entry) };
      position = last.zxid;
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

function decoded(entry: LogEntry): Txn {
  const txn = decodeTxn(entry.bytes);
  if (!(txn instanceof TxnDecodeError)) return txn;
  throw new ApacheDataError(
    'DAMAGED',
    `log store, entry ${zxidHex(entry.zxid)}`,
    `it is no transaction (${txn.damage})`,
    'restore both data directories from one backup',
  );
}

/** Whether the directory looks like one of ours. */
export async function isOwnDirectory(files: PlainFiles, directory: string): Promise<boolean> {
  return (await files.kind(stateDirectory(directory))) === 'directory';
}
