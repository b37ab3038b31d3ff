/**
 * Requests of the compatibility run, encoded here and not by the server's own encoders: records of
 * every operation, with null strings and wrong values wherever the wire allows them.
 */

import { OpCode } from '../../src/base/op-code.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';

/** An entry of an ACL as a client may send it. */
export interface SentAcl {
  readonly perms: number;
  readonly scheme: string | null;
  readonly id: string | null;
}

/** One request, encoded but for its xid. */
export interface Request {
  readonly type: number;
  /** The record behind the request header. */
  readonly body: Uint8Array;
  /** What it asks, for people. */
  readonly text: string;
  /** Types of the members of a multi, in order; empty otherwise. */
  readonly members: readonly number[];
  /** The record was cut short, or says something that no decoder accepts. */
  readonly isBroken: boolean;
  /** As a member of a multi, 3.9 takes it for undecodable, and 3.8.0 for a bad argument. */
  readonly isOdd: boolean;
  /** The server ends the connection behind the reply. */
  readonly closes: boolean;
  /** The body begins with a zxid to be filled in: that of the reply so many replies ago. */
  readonly zxidAge: number | undefined;
}

/** A member of a multi or multiRead: any request with a record. */
export type Member = Pick<Request, 'type' | 'body' | 'text' | 'isOdd'>;

export const OPEN_ACL: readonly SentAcl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];

const NO_BYTES = new Uint8Array(0);
const END_MARK = -1;

type Writes = (writer: JuteWriter) => void;

export function record(write: Writes): Uint8Array {
  const writer = new JuteWriter();
  write(writer);
  return writer.take();
}

/** A request with the usual values where `extra` says nothing. */
export function request(
  type: number,
  body: Uint8Array,
  text: string,
  extra: Partial<Request> = {},
): Request {
  return {
    type,
    body,
    text: `${opName(type)} ${text}`.trimEnd(),
    members: [],
    isBroken: false,
    isOdd: false,
    closes: false,
    zxidAge: undefined,
    ...extra,
  };
}

/** The same request without the last bytes of its record. */
export function cut(whole: Request, byteCount: number): Request {
  const body = whole.body.subarray(0, Math.max(0, whole.body.length - byteCount));
  return { ...whole, body, text: `${whole.text} (cut by ${byteCount})`, isBroken: true };
}

/** The same request with bytes behind its record, which servers ignore. */
export function padded(whole: Request): Request {
  const body = new Uint8Array(whole.body.length + 5).fill(0x7f);
  body.set(whole.body);
  return { ...whole, body, text: `${whole.text} (padded)` };
}

export function empty(type: number, extra: Partial<Request> = {}): Request {
  return request(type, NO_BYTES, '', extra);
}

export function create(
  type: number,
  path: string | null,
  data: Uint8Array | null,
  acl: readonly SentAcl[] | null,
  flags: number,
  ttlMs = -1,
): Request {
  const body = record((writer) => {
    writer.writeString(path);
    writer.writeBuffer(data);
    writeAcl(writer, acl);
    writer.writeInt(flags);
    if (type === OpCode.createTtl) writer.writeLong(ttlMs);
  });
  const ttl = type === OpCode.createTtl ? ` ttl ${ttlMs}` : '';
  return request(type, body, `${show(path)} flags ${flags}${ttl} acl ${showAcl(acl)}`, {
    isOdd: acl === null || flags < 0 || flags > (type === OpCode.createTtl ? 6 : 4),
  });
}

/** delete, check. */
export function versioned(type: number, path: string | null, version: number): Request {
  const body = record((writer) => {
    writer.writeString(path);
    writer.writeInt(version);
  });
  return request(type, body, `${show(path)} version ${version}`);
}

export function setData(path: string | null, data: Uint8Array | null, version: number): Request {
  const body = record((writer) => {
    writer.writeString(path);
    writer.writeBuffer(data);
    writer.writeInt(version);
  });
  return request(OpCode.setData, body, `${show(path)} version ${version}`);
}

export function setAcl(
  path: string | null,
  acl: readonly SentAcl[] | null,
  version: number,
): Request {
  const body = record((writer) => {
    writer.writeString(path);
    writeAcl(writer, acl);
    writer.writeInt(version);
  });
  return request(OpCode.setAcl, body, `${show(path)} version ${version} acl ${showAcl(acl)}`);
}

/** exists, getData, getChildren, getChildren2. */
export function watchedRead(type: number, path: string | null, watch: boolean): Request {
  const body = record((writer) => {
    writer.writeString(path);
    writer.writeBool(watch);
  });
  return request(type, body, `${show(path)}${watch ? ' watch' : ''}`);
}

/** getACL, sync, getEphemerals, getAllChildrenNumber, deleteContainer. */
export function pathOnly(type: number, path: string | null): Request {
  return request(
    type,
    record((writer) => writer.writeString(path)),
    show(path),
  );
}

/** checkWatches, removeWatches with a watcher type; addWatch with a mode. */
export function watchRequest(type: number, path: string | null, kind: number): Request {
  const body = record((writer) => {
    writer.writeString(path);
    writer.writeInt(kind);
  });
  return request(type, body, `${show(path)} kind ${kind}`);
}

/** setWatches with three lists, setWatches2 with five; a null list is one the server refuses. */
export function setWatches(
  type: number,
  lists: readonly (readonly string[] | null)[],
  zxidAge: number,
): Request {
  const body = record((writer) => {
    writer.writeLong(0);
    for (const list of lists) writer.writeStrings(list);
  });
  return request(type, body, `since ${zxidAge} replies ago ${JSON.stringify(lists)}`, { zxidAge });
}

export function auth(scheme: string | null, data: string | null): Request {
  const body = record((writer) => {
    writer.writeInt(0);
    writer.writeString(scheme);
    writer.writeString(data);
  });
  return request(OpCode.auth, body, `${show(scheme)} ${show(data)}`);
}

export function sasl(token: Uint8Array | null): Request {
  return request(
    OpCode.sasl,
    record((writer) => writer.writeBuffer(token)),
    token === null ? 'null' : `${token.length} bytes`,
    { closes: token === null },
  );
}

export function reconfig(
  joining: string | null,
  leaving: string | null,
  newMembers: string | null,
): Request {
  const body = record((writer) => {
    writer.writeString(joining);
    writer.writeString(leaving);
    writer.writeString(newMembers);
    writer.writeLong(-1);
  });
  return request(OpCode.reconfig, body, `${show(joining)} ${show(leaving)} ${show(newMembers)}`);
}

/** multi, multiRead. Without an end no decoder accepts it. */
export function multi(type: number, members: readonly Member[], hasEnd: boolean): Request {
  const parts = members.flatMap((member) => [header(member.type, false), member.body]);
  if (hasEnd) parts.push(header(END_MARK, true));
  const texts = members.map((member) => member.text).join('; ');
  return request(type, Buffer.concat(parts), `[${texts}]${hasEnd ? '' : ' without end'}`, {
    members: members.map((member) => member.type),
    isBroken: !hasEnd,
    isOdd: members.some((member) => member.isOdd),
  });
}

export function opName(type: number): string {
  const found = Object.entries(OpCode).find(([, code]) => code === type);
  return found?.[0] ?? `op ${type}`;
}

/** MultiHeader: what stands in front of a member, and at the end. */
function header(type: number, isDone: boolean): Uint8Array {
  return record((writer) => {
    writer.writeInt(type);
    writer.writeBool(isDone);
    writer.writeInt(-1);
  });
}

function writeAcl(writer: JuteWriter, acl: readonly SentAcl[] | null): void {
  writer.writeInt(acl === null ? -1 : acl.length);
  for (const { perms, scheme, id } of acl ?? []) {
    writer.writeInt(perms);
    writer.writeString(scheme);
    writer.writeString(id);
  }
}

function show(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text);
}

function showAcl(acl: readonly SentAcl[] | null): string {
  if (acl === OPEN_ACL) return 'open';
  if (acl === null) return 'null';
  return `[${acl.map(({ perms, scheme, id }) => `${perms} ${scheme}:${id}`).join(', ')}]`;
}
