/**
 * setWatches and setWatches2: a client that connected again names its watches and the last zxid it saw. What
 * happened meanwhile is told at once, before the reply; what did not is armed again. A watch that
 * brought an event is not armed. Persistent and recursive watches, which only setWatches2 has, are
 * armed without a word about what they missed. Clients look at no error of these requests: one that
 * meets a limit must end the connection, or its watches would be lost without anybody knowing.
 */

import { ErrorCode } from '../../base/error-code.ts';
import { EventType } from '../../base/watch-event.ts';
import { WatchMode } from '../../base/watch-mode.ts';
import type { JuteReader } from '../../protocol/jute-reader.ts';
import {
  decodeSetWatches,
  decodeSetWatches2,
  type SetWatches,
} from '../../protocol/records/watch.ts';
import type { DataTree } from '../../store/data-tree.ts';
import { type ReadContext, WATCHES_FULL } from './read.ts';

/** Where the events of missed changes go: they carry no zxid, unlike those of live changes. */
export interface CatchUp {
  /** False when the client, which reads too little, was dropped: nothing may be set for it any more. */
  missed(type: EventType, path: string): boolean;
}

/** Ends the request; nobody is there to be answered. */
const CLIENT_DROPPED = ErrorCode.systemError;

/** The lists in front of a null one have been dealt with when the request fails for it. */
export function setWatches(context: ReadContext, reader: JuteReader, catchUp: CatchUp): ErrorCode {
  const request = decodeSetWatches(reader);
  if (request === undefined) return ErrorCode.marshallingError;
  return setOneShot(context, request, catchUp);
}

export function setWatches2(context: ReadContext, reader: JuteReader, catchUp: CatchUp): ErrorCode {
  const request = decodeSetWatches2(reader);
  if (request === undefined) return ErrorCode.marshallingError;
  const error = setOneShot(context, request, catchUp);
  if (error !== ErrorCode.ok) return error;
  const { watches, watcher } = context;
  if (request.persistent === null) return ErrorCode.marshallingError;
  for (const path of request.persistent) {
    if (!watches.addLastingWatch(path, watcher, WatchMode.persistent)) return WATCHES_FULL;
  }
  if (request.recursive === null) return ErrorCode.marshallingError;
  for (const path of request.recursive) {
    if (!watches.addLastingWatch(path, watcher, WatchMode.recursive)) return WATCHES_FULL;
  }
  return ErrorCode.ok;
}

function setOneShot(context: ReadContext, request: SetWatches, catchUp: CatchUp): ErrorCode {
  const { tree, watches, watcher } = context;
  const seenZxid = request.relativeZxid;
  const addData = (path: string): boolean => watches.addDataWatch(path, watcher);
  const addChild = (path: string): boolean => watches.addChildWatch(path, watcher);
  const lists = [
    [request.data, (path: string) => missedDataEvent(tree, path, seenZxid), addData],
    [request.exist, (path: string) => missedCreation(tree, path), addData],
    [request.child, (path: string) => missedChildEvent(tree, path, seenZxid), addChild],
  ] as const;
  for (const [paths, missedAt, add] of lists) {
    if (paths === null) return ErrorCode.marshallingError;
    for (const path of paths) {
      const type = missedAt(path);
      if (type === undefined) {
        if (!add(path)) return WATCHES_FULL;
      } else if (!catchUp.missed(type, path)) return CLIENT_DROPPED;
    }
  }
  return ErrorCode.ok;
}

function missedDataEvent(tree: DataTree, path: string, seenZxid: number): EventType | undefined {
  const node = tree.find(path);
  if (node === undefined) return EventType.nodeDeleted;
  return node.mzxid > seenZxid ? EventType.nodeDataChanged : undefined;
}

function missedCreation(tree: DataTree, path: string): EventType | undefined {
  return tree.find(path) === undefined ? undefined : EventType.nodeCreated;
}

function missedChildEvent(tree: DataTree, path: string, seenZxid: number): EventType | undefined {
  const node = tree.find(path);
  if (node === undefined) return EventType.nodeDeleted;
  return node.pzxid > seenZxid ? EventType.nodeChildrenChanged : undefined;
}
