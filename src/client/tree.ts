/** Whole branches: made of single operations, so others may see them half done. */

import { childPath, parentPath } from '../base/path.ts';
import type { Client } from './client.ts';
import { isKeeperError } from './keeper-error.ts';
import type { Abortable, NodeOptions } from './node-types.ts';

/** Creates the node and those above it, as far as they are missing, without data. */
export async function ensurePath(
  client: Client,
  path: string,
  options: NodeOptions & Abortable = {},
): Promise<void> {
  try {
    await client.create(path, '', options);
  } catch (error) {
    if (isKeeperError(error, 'NODE_EXISTS')) return;
    if (!isKeeperError(error, 'NO_NODE') || path === '/') throw error;
    // The nodes above are ordinary ones: an ephemeral could not have children.
    const { acl, signal } = options;
    await ensurePath(client, parentPath(path), { acl, signal });
    await ensurePath(client, path, options);
  }
}

/**
 * Deletes the node and everything below it, from the leaves up, and resolves to how many nodes that
 * were. A node that is gone already is not missed; one created meanwhile makes it reject with
 * `NOT_EMPTY`.
 */
export async function deleteTree(
  client: Client,
  path: string,
  { signal }: Abortable = {},
): Promise<number> {
  const paths = await listTree(client, path, { signal });
  const isDeleted = await Promise.all(
    // Pipelined: the server takes them in this order, children before their parents.
    paths.reverse().map((each) =>
      client.delete(each, { signal }).then(
        () => true,
        (error: unknown) => {
          if (isKeeperError(error, 'NO_NODE')) return false;
          throw error;
        },
      ),
    ),
  );
  return isDeleted.filter((wasThere) => wasThere).length;
}

/** The paths of a node and of everything below it, each behind its parent; none if it is not there. */
export async function listTree(
  client: Client,
  path: string,
  { signal }: Abortable = {},
): Promise<string[]> {
  const paths: string[] = [];
  let level = [path];
  while (level.length > 0) {
    const read = level.map((each) => childrenOf(client, each, signal));
    const below: string[] = [];
    for (const [index, names] of (await Promise.all(read)).entries()) {
      const parent = level[index];
      if (names === undefined || parent === undefined) continue;
      paths.push(parent);
      for (const name of names) below.push(childPath(parent, name));
    }
    level = below;
  }
  return paths;
}

async function childrenOf(
  client: Client,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string[] | undefined> {
  try {
    return await client.children(path, { signal });
  } catch (error) {
    if (isKeeperError(error, 'NO_NODE')) return undefined;
    throw error;
  }
}
