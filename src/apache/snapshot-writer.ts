/** Writes a tree as a snapshot of the original's (`snapshot-reader.ts` says how it looks). */

import type { SessionId } from '../base/ids.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeAcls } from '../protocol/records/acl.ts';
import { isOpen, type SharedAcl } from '../store/acl-table.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { Znode } from '../store/znode.ts';
import { Adler32 } from './adler32.ts';
import { OPEN_ACL_ID, SEAL_TEXT, SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './snapshot-reader.ts';
import { DIGEST_VERSION } from './txn-record.ts';

/** What the original writes where logs say 0. */
const SNAPSHOT_DBID = -1;
const CHUNK_BYTES = 256 * 1024;

/**
 * The file in pieces that belong to the caller. The tree must not change meanwhile. `onNode` is told
 * of every node.
 */
export function* writeSnapshot(
  tree: DataTree,
  onNode: () => void = () => undefined,
): Generator<Uint8Array> {
  const writer = new JuteWriter(CHUNK_BYTES * 2);
  const sum = new Adler32();
  const take = (): Uint8Array => {
    const bytes = writer.take();
    sum.update(bytes);
    return bytes;
  };
  writer.writeInt(SNAPSHOT_MAGIC);
  writer.writeInt(SNAPSHOT_VERSION);
  writer.writeLong(SNAPSHOT_DBID);
  writeSessions(writer, tree);
  const aclIds = numberAcls(tree);
  writer.writeInt(aclIds.size);
  for (const [acl, id] of aclIds) {
    writer.writeLong(id);
    encodeAcls(writer, acl.list);
  }
  for (const [path, node] of tree.walk()) {
    writeNode(writer, path, node, aclIds.get(node.sharedAcl) ?? OPEN_ACL_ID);
    onNode();
    if (writer.length >= CHUNK_BYTES) yield take();
  }
  writer.writeString('/');
  yield take();
  writeSeal(writer, sum);
  yield take();
  writer.writeLong(tree.lastZxid);
  writer.writeInt(DIGEST_VERSION);
  writer.writeSessionId(BigInt.asIntN(64, tree.digest) as SessionId);
  yield take();
  writeSeal(writer, sum);
  yield take();
}

function writeSessions(writer: JuteWriter, tree: DataTree): void {
  writer.writeInt(tree.sessionCount);
  for (const [sessionId, timeoutMs] of tree.sessions.entries()) {
    writer.writeSessionId(sessionId);
    writer.writeInt(timeoutMs);
  }
}

/** Numbers from 1 for all ACLs in use but the open one. */
function numberAcls(tree: DataTree): Map<SharedAcl, number> {
  const ids = new Map<SharedAcl, number>();
  for (const [, node] of tree.walk()) {
    const acl = node.sharedAcl;
    if (!isOpen(acl.list) && !ids.has(acl)) ids.set(acl, ids.size + 1);
  }
  return ids;
}

function writeNode(writer: JuteWriter, path: string, node: Znode, aclId: number): void {
  writer.writeString(path === '/' ? '' : path);
  writer.writeBuffer(node.dataView);
  writer.writeLong(aclId);
  writer.writeLong(node.czxid);
  writer.writeLong(node.mzxid);
  writer.writeLong(node.ctimeMs);
  writer.writeLong(node.mtimeMs);
  writer.writeInt(node.version);
  writer.writeInt(node.creates);
  writer.writeInt(node.aversion);
  writer.writeSessionId(node.storedOwner);
  writer.writeLong(node.pzxid);
}

function writeSeal(writer: JuteWriter, sum: Adler32): void {
  writer.writeLong(sum.value);
  writer.writeString(SEAL_TEXT);
}
