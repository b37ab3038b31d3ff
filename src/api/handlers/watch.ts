/**
 * Requests about watches themselves. They need no permission and no node, and look at no path closer
 * than to compare it.
 */

import { ErrorCode } from '../../base/error-code.ts';
import { WatcherType, WatchMode } from '../../base/watch-mode.ts';
import type { JuteReader } from '../../protocol/jute-reader.ts';
import type { JuteWriter } from '../../protocol/jute-writer.ts';
import {
  decodeAddWatch,
  decodeWatchesOfType,
  encodeAddWatchReply,
} from '../../protocol/records/watch.ts';
import { type ReadContext, WATCHES_FULL } from './read.ts';

export function addWatch(context: ReadContext, reader: JuteReader, writer: JuteWriter): ErrorCode {
  const request = decodeAddWatch(reader);
  if (request === undefined || !isMode(request.mode)) return ErrorCode.marshallingError;
  const { path, mode } = request;
  // Nothing ever happens at no path, so there is nothing to remember.
  const isArmed = path === null || context.watches.addLastingWatch(path, context.watcher, mode);
  if (!isArmed) return WATCHES_FULL;
  encodeAddWatchReply(writer);
  return ErrorCode.ok;
}

/** Whether this connection has such a watch at exactly the path. */
export function checkWatches(context: ReadContext, reader: JuteReader): ErrorCode {
  const request = decodeWatchesOfType(reader);
  if (request === undefined || !isType(request.type)) return ErrorCode.marshallingError;
  const { path, type } = request;
  const isThere = path !== null && context.watches.has(path, context.watcher, type);
  return isThere ? ErrorCode.ok : ErrorCode.noWatcher;
}

/** Removes this connection's watches of the type at exactly the path, without an event. */
export function removeWatches(context: ReadContext, reader: JuteReader): ErrorCode {
  const request = decodeWatchesOfType(reader);
  if (request === undefined || !isType(request.type)) return ErrorCode.marshallingError;
  const { path, type } = request;
  const isRemoved = path !== null && context.watches.remove(path, context.watcher, type);
  return isRemoved ? ErrorCode.ok : ErrorCode.noWatcher;
}

function isMode(mode: number): mode is WatchMode {
  return mode === WatchMode.persistent || mode === WatchMode.recursive;
}

function isType(type: number): type is WatcherType {
  return type >= WatcherType.children && type <= WatcherType.recursive;
}
