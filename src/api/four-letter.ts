/**
 * Answers to the four-letter words, to the byte as the original lays them out: monitoring tools cut
 * them up by position, separator and newline. Every word is allowed to everybody who can connect.
 */

import { invariant } from '../base/assert.ts';
import { sessionIdHex } from '../base/ids.ts';
import type { Address } from '../runtime/runtime.ts';
import type { ExpiryQueue } from '../session/expiry-queue.ts';
import type { WatchManager } from '../session/watch-manager.ts';
import type { Backend, BackendStatus, ServingMode } from './backend.ts';
import type { ClientServiceOptions } from './client-options.ts';
import type { Connection } from './connection.ts';
import { consText, srvrText, statText } from './four-letter-connections.ts';
import { dumpText } from './four-letter-sessions.ts';
import { confText, enviText } from './four-letter-settings.ts';
import type { FourLetterWord } from './four-letter-word.ts';
import { mntrText } from './mntr.ts';
import type { ServerStats } from './server-stats.ts';

/** Where the answers come from. */
export interface CommandSource {
  readonly backend: Backend;
  readonly options: ClientServiceOptions;
  readonly stats: ServerStats;
  readonly watches: WatchManager;
  readonly deadlines: ExpiryQueue<Connection>;
  readonly addresses: readonly Address[];
  readonly isServing: boolean;
  readonly connectionCount: number;
  /** Since clients are served; 0 while they are not. */
  readonly uptimeMs: number;
  readonly nowMs: number;
  wallMs(): number;
  connections(): Iterable<Connection>;
}

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
/** The mask a fresh server of the original has. There is no tracing by mask here to change it. */
const TRACE_MASK = '306';

/** The answer to a word as far as this side knows it; undefined for words about the backend's status. */
export function quickAnswer(source: CommandSource, word: FourLetterWord): string | undefined {
  switch (word) {
    case 'ruok':
      return 'imok';
    case 'gtmk':
      return TRACE_MASK;
    case 'envi':
      return enviText(source.options.report);
    default:
      return servingMode(source) === undefined ? notServing(word) : servingAnswer(source, word);
  }
}

/** The answer to a word for which `quickAnswer` had none. */
export function statusAnswer(
  source: CommandSource,
  word: FourLetterWord,
  status: BackendStatus,
): string {
  const mode = servingMode(source);
  if (mode === undefined) return notServing(word);
  switch (word) {
    case 'srvr':
      return srvrText(source, mode, status);
    case 'stat':
      return statText(source, mode, status);
    case 'conf':
      return confText(source, status);
    case 'mntr':
      return mntrText(source, mode, status);
    case 'dump':
      return dumpText(source, mode, status);
    default:
      invariant(word === 'dirs', 'word needs no status');
      return dirsText(status);
  }
}

function servingMode(source: CommandSource): ServingMode | undefined {
  return source.isServing ? source.backend.mode : undefined;
}

function notServing(word: FourLetterWord): string {
  if (word === 'isro') return 'null';
  // The original ends this line for every word but one.
  return word === 'hash' ? NOT_SERVING : `${NOT_SERVING}\n`;
}

function servingAnswer(source: CommandSource, word: FourLetterWord): string | undefined {
  switch (word) {
    case 'isro':
      return 'rw';
    case 'cons':
      return consText(source);
    case 'wchs':
      return wchsText(source.watches);
    case 'wchc':
      return wchcText(source.watches);
    case 'wchp':
      return wchpText(source.watches);
    case 'crst':
      for (const connection of source.connections()) connection.stats.reset();
      return 'Connection stats reset.\n';
    case 'srst':
      source.stats.reset();
      source.backend.resetStatistics();
      return 'Server stats reset.\n';
    case 'hash':
      // The original lists digests only at every 128th zxid it still remembers: often nothing.
      return '';
    default:
      return undefined;
  }
}

function dirsText(status: BackendStatus): string {
  return `datadir_size: ${status.dataDirBytes}\nlogdir_size: ${status.logDirBytes}\n`;
}

function wchsText(watches: WatchManager): string {
  const { dataWatchers, dataWatches, dataWatchCount } = watches;
  return (
    `${dataWatchers.size} connections watching ${dataWatches.size} paths\n` +
    `Total watches:${dataWatchCount}\n`
  );
}

/** Paths by session; an empty line ends the list. */
function wchcText(watches: WatchManager): string {
  const lines: string[] = [];
  for (const [watcher, paths] of watches.dataWatchers) {
    lines.push(sessionIdHex(watcher.sessionId));
    for (const path of paths) lines.push(`\t${path}`);
  }
  return `${lines.map((line) => `${line}\n`).join('')}\n`;
}

/** Sessions by path; an empty line ends the list. */
function wchpText(watches: WatchManager): string {
  const lines: string[] = [];
  for (const [path, watchers] of watches.dataWatches) {
    lines.push(path);
    for (const watcher of watchers) lines.push(`\t${sessionIdHex(watcher.sessionId)}`);
  }
  return `${lines.map((line) => `${line}\n`).join('')}\n`;
}
