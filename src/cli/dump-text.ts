/** Transactions, sessions and nodes as lines for people and as JSON for programs. */

import type { DumpedItem, DumpedTxn } from '../apache/dump-source.ts';
import { type Acl, Perm } from '../base/acl.ts';
import { SESSION_NONE, sessionIdHex, zxidHex } from '../base/ids.ts';

/** Data longer than that is cut in lines for people. */
const SHOWN_BYTES_MAX = 60;
/** In the order in which zkCli prints them. */
const PERM_LETTERS = [
  [Perm.create, 'c'],
  [Perm.delete, 'd'],
  [Perm.read, 'r'],
  [Perm.write, 'w'],
  [Perm.admin, 'a'],
] as const;
const TYPE_NAMES: Readonly<Record<number, string>> = {
  [-11]: 'closeSession',
  [-10]: 'createSession',
  [-1]: 'error',
  1: 'create',
  2: 'delete',
  5: 'setData',
  7: 'setACL',
  13: 'check',
  14: 'multi',
  15: 'create2',
  19: 'createContainer',
  20: 'deleteContainer',
  21: 'createTTL',
};

type Body = DumpedTxn['txn']['body'];

export function txnLine({ zxid, txn }: DumpedTxn): string {
  const time = new Date(txn.timeMs).toISOString();
  const session = sessionIdHex(txn.sessionId);
  return `${zxidHex(zxid)}  ${time}  session ${session}  cxid ${txn.cxid}  ${bodyText(txn.body)}\n`;
}

export function txnJson({ zxid, txn, digest, file, offset }: DumpedTxn): string {
  const record = {
    zxid: zxidHex(zxid),
    session: sessionIdHex(txn.sessionId),
    cxid: txn.cxid,
    time: txn.timeMs,
    ...bodyJson(txn.body),
    digest: digest?.toString(16),
    file,
    offset,
  };
  return `${JSON.stringify(record)}\n`;
}

export function itemLine(item: DumpedItem): string {
  if (item.kind === 'session') {
    return `session ${sessionIdHex(item.sessionId)}  timeout ${item.timeoutMs} ms\n`;
  }
  const { fields, acl } = item;
  const owner =
    fields.storedOwner === SESSION_NONE ? '' : `  owner ${sessionIdHex(fields.storedOwner)}`;
  return (
    `${item.path}  ${dataText(fields.data)}  czxid ${zxidHex(fields.czxid)}  ` +
    `mzxid ${zxidHex(fields.mzxid)}  version ${fields.version}  acl ${aclText(acl)}${owner}\n`
  );
}

export function itemJson(item: DumpedItem): string {
  if (item.kind === 'session') {
    const { sessionId, timeoutMs } = item;
    return `${JSON.stringify({ session: sessionIdHex(sessionId), timeout: timeoutMs })}\n`;
  }
  const { path, fields, acl, numChildren } = item;
  const record = {
    path,
    data: base64(fields.data),
    acl,
    czxid: zxidHex(fields.czxid),
    mzxid: zxidHex(fields.mzxid),
    pzxid: zxidHex(fields.pzxid),
    ctime: fields.ctimeMs,
    mtime: fields.mtimeMs,
    version: fields.version,
    aversion: fields.aversion,
    storedCversion: fields.creates,
    storedOwner: sessionIdHex(fields.storedOwner),
    cversion: numChildren === undefined ? undefined : 2 * fields.creates - numChildren,
    numChildren,
  };
  return `${JSON.stringify(record)}\n`;
}

function bodyText(body: Body): string {
  const name = TYPE_NAMES[body.type] ?? String(body.type);
  switch (body.type) {
    case -1:
      return `${name} ${body.error}`;
    case -10:
      return `${name} timeout ${body.timeoutMs} ms`;
    case -11:
      return [name, ...body.paths].join(' ');
    case 14:
      return `${name} [${body.ops.map(bodyText).join('; ')}]`;
    case 5:
      return `${name} ${body.path}  ${dataText(body.data)}  version ${body.version}`;
    case 7:
      return `${name} ${body.path}  ${aclText(body.acl)}  version ${body.version}`;
    case 2:
    case 13:
    case 20:
      return `${name} ${body.path}`;
    default: {
      const isOwned = body.ephemeralOwner !== SESSION_NONE;
      const owner = isOwned ? `  owner ${sessionIdHex(body.ephemeralOwner)}` : '';
      return `${name} ${body.path}  ${dataText(body.data)}  acl ${aclText(body.acl)}${owner}`;
    }
  }
}

function bodyJson(body: Body): object {
  const type = TYPE_NAMES[body.type] ?? String(body.type);
  switch (body.type) {
    case -1:
      return { type, error: body.error };
    case -10:
      return { type, timeout: body.timeoutMs };
    case -11:
      return { type, paths: body.paths };
    case 14:
      return { type, ops: body.ops.map(bodyJson) };
    case 5:
      return { type, path: body.path, data: base64(body.data), version: body.version };
    case 7:
      return { type, path: body.path, acl: body.acl, version: body.version };
    case 2:
    case 13:
    case 20:
      return { type, path: body.path };
    default: {
      const { path, data, acl, ephemeralOwner, parentCversion } = body;
      const owner = sessionIdHex(ephemeralOwner);
      return { type, path, data: base64(data), acl, storedOwner: owner, parentCversion };
    }
  }
}

function base64(data: Uint8Array | null): string | null {
  return data === null ? null : Buffer.from(data).toString('base64');
}

/** Text where it is text, else hex; the length where something is left out. */
function dataText(data: Uint8Array | null): string {
  if (data === null) return 'null';
  const shown = Buffer.from(data.subarray(0, SHOWN_BYTES_MAX));
  const text = shown.toString('utf8');
  // A character cut in two at the end is not worth hex.
  const isText = !/[\p{Cc}\ufffd]/u.test(data.length > SHOWN_BYTES_MAX ? text.slice(0, -1) : text);
  const rest = data.length > SHOWN_BYTES_MAX ? `... (${data.length} bytes)` : '';
  return isText ? JSON.stringify(text) + rest : `0x${shown.toString('hex')}${rest}`;
}

function aclText(acl: readonly Acl[]): string {
  return acl.map(({ perms, scheme, id }) => `${scheme}:${id}:${permsText(perms)}`).join(',');
}

function permsText(perms: number): string {
  let text = '';
  for (const [bit, letter] of PERM_LETTERS) if ((perms & bit) !== 0) text += letter;
  return text;
}
