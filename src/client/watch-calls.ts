/** Operations about watches, and the credentials of a connection. */

import { ErrorCode } from '../base/error-code.ts';
import { OpCode } from '../base/op-code.ts';
import type { WatcherType, WatchMode } from '../base/watch-mode.ts';
import { encodeAddWatch, encodeWatchesOfType } from '../protocol/records/watch.ts';
import type { Credentials } from './client-options.ts';
import { encodeCredentials } from './introduction.ts';
import { refusePath } from './read-calls.ts';
import { type Answer, type Call, DONE } from './request.ts';

const YES: Answer<boolean> = { value: true };
const NO: Answer<boolean> = { value: false };

export function addWatchCall(
  path: string,
  serverPath: string,
  mode: WatchMode,
  onReply: (error: number) => void,
): Call<undefined> {
  return {
    op: OpCode.addWatch,
    name: 'watch',
    path,
    isWrite: false,
    refusal: refusePath('watch', path),
    encode: (writer) => encodeAddWatch(writer, serverPath, mode),
    decode: () => DONE,
    onReply,
  };
}

export function removeWatchesCall(
  path: string,
  serverPath: string,
  type: WatcherType,
  onReply: (error: number) => void,
): Call<undefined> {
  return {
    op: OpCode.removeWatches,
    name: 'removeWatches',
    path,
    isWrite: false,
    refusal: refusePath('removeWatches', path),
    encode: (writer) => encodeWatchesOfType(writer, serverPath, type),
    decode: () => DONE,
    onReply,
  };
}

export function checkWatchesCall(
  path: string,
  serverPath: string,
  type: WatcherType,
): Call<boolean> {
  return {
    op: OpCode.checkWatches,
    name: 'checkWatches',
    path,
    isWrite: false,
    refusal: refusePath('checkWatches', path),
    encode: (writer) => encodeWatchesOfType(writer, serverPath, type),
    decode: () => YES,
    resultOf: (error) => (error === ErrorCode.noWatcher ? NO : undefined),
  };
}

export function authCall(credentials: Credentials): Call<undefined> {
  return {
    op: OpCode.auth,
    name: 'addAuth',
    path: undefined,
    isWrite: false,
    encode: (writer) => encodeCredentials(writer, credentials),
    decode: () => DONE,
  };
}
