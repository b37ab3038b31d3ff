/** What clients read of the ensemble with getConfig: `/zookeeper/config`. */

import { Buffer } from 'node:buffer';
import { ZXID_NONE } from '../base/ids.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { ServerConfig } from './config.ts';

/** The members come from the servers' files: no transaction has ever established them. */
const VERSION_LINE = 'version=0';

/**
 * Writes the members of the configuration into a tree that was just loaded, or came from another
 * server: this server's own file is what counts. A standalone server has no members to show.
 */
export function showMembers(
  tree: DataTree,
  config: Pick<ServerConfig, 'isStandalone' | 'members'>,
): void {
  if (config.isStandalone) return;
  const lines = [...config.members.map(({ text }) => text), VERSION_LINE];
  tree.setConfig(Buffer.from(lines.join('\n')), ZXID_NONE);
}
