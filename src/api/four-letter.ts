/**
 * Answers to the four-letter words, to the byte as the original lays them out: monitoring tools cut
 * them up by position, separator and newline.
 */

import { invariant } from '../base/assert.ts';
import { sessionIdHex } from '../base/ids.ts';
import type { Address } from '../runtime/runtime.ts';
import type { ExpiryQueue } from '../session/expiry-queue.ts';
import type { WatchManager } from '../session/watch-manager.ts';
import { AnswerText } from './answer-text.ts';
import type { Backend, BackendStatus, ServingMode } from './backend.ts';
import type { ClientBuffers } from './client-buffers.ts';
import type { ClientServiceOptions } from './client-options.ts';
import type { Connection } from './connection.ts';
import { consText, srvrText, statText } from './four-letter-connections.ts';
import { dumpText } from './four-letter-sessions.ts';
import { confText, enviText } from './four-letter-settings.ts';
import type { FourLetterWord } from './four-letter-word.ts';
import { mntrText } from './mntr.ts';
import type { Place } from './place.ts';
import type { ServerStats } from './server-stats.ts';

/** Where the answers come from. */
export interface CommandSource {
  readonly backend: Backend;
  readonly options: ClientServiceOptions;
  readonly stats: ServerStats;
  readonly watches: WatchManager;
  readonly buffers: ClientBuffers;
  readonly deadlines: ExpiryQueue<Place>;
  readonly addresses: readonly Address[];
  readonly isServing: boolean;
  readonly traceMask: bigint;
  readonly connectionCount: number;
  /** Since clients are served; 0 while they are not. */
  readonly uptimeMs: number;
  readonly nowMs: number;
  wallMs(): number;
  connections(): Iterable<Connection>;
}

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
/** The mask a fresh server of the original has. */
export const TRACE_MASK_DEFAULT = 306n;

/** What is said instead of an answer that the configuration does not allow. */
export function refusal(word: FourLetterWord): string {
  return `${word} is not executed because it is not in the whitelist.\n`;
}

/** The answer to a word as far as this side knows it; undefined for words about the backend's status. */
export function quickAnswer(source: CommandSource, word: FourLetterWord): string | undefined {
  switch (word) {
    case 'ruok':
      return 'imok';
    case 'gtmk':
    case 'stmk':
      return String(source.traceMask);
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
      return source.backend.mode === 'read-only' ? 'ro' : 'rw';
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
      return hashText(source.backend);
    default:
      return undefined;
  }
}

/** The digest as the original prints a long: in decimal, with a sign. */
function hashText(backend: Backend): string {
  let text = '';
  for (const [zxid, digest] of backend.digests.entries()) {
    text += `${zxid.toString(16)}: ${BigInt.asIntN(64, BigInt(`0x${digest}`))}\n`;
  }
  return text;
}

function dirsText(status: BackendStatus): string {
  return `datadir_size: ${status.dataDirBytes}\nlogdir_size: ${status.logDirBytes}\n`;
}

function wchsText(watches: WatchManager): string {
  const { dataWatcherCount, dataPathCount, dataWatchCount } = watches;
  return (
    `${dataWatcherCount} connections watching ${dataPathCount} paths\n` +
    `Total watches:${dataWatchCount}\n`
  );
}

/** Paths by session; an empty line ends the list. */
function wchcText(watches: WatchManager): string {
  const text = new AnswerText();
  for (const [watcher, paths] of watches.dataWatchers) {
    text.line(sessionIdHex(watcher.sessionId));
    for (const path of paths) {
      if (text.isFull) break;
      text.line(`\t${path}`);
    }
  }
  return `${text}\n`;
}

/** Sessions by path; an empty line ends the list. */
function wchpText(watches: WatchManager): string {
  const text = new AnswerText();
  for (const [path, watchers] of watches.dataWatches) {
    if (text.isFull) break;
    text.line(path);
    for (const watcher of watchers) text.line(`\t${sessionIdHex(watcher.sessionId)}`);
  }
  return `${text}\n`;
}
