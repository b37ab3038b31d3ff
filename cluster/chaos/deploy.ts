/** Puts servers of a kind, and the network between them, in place. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ChaosServers, type ServerKind } from './chaos-servers.ts';
import type { Links } from './links.ts';
import { NamespaceLinks } from './namespaces.ts';
import { ProxyLinks } from './proxies.ts';

/** Holds what a short run writes, and is soon filled. */
const SMALL_DISK = '256m';

export type LinkChoice = 'namespaces' | 'proxies' | 'any';

export interface Deployed {
  readonly servers: ChaosServers;
  readonly links: Links;
  /** The server whose disk is small; undefined: none is. */
  readonly smallDisk: number | undefined;
  /** Ends servers and network; what the servers wrote stays where `keep` asks for it. */
  close(keep?: boolean): Promise<void>;
}

export async function deploy(
  kind: ServerKind,
  count: number,
  choice: LinkChoice = 'any',
  wantsSmallDisk: number | undefined = undefined,
): Promise<Deployed> {
  const links = await createLinks(count, choice);
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vivarium-chaos-'));
  const servers = new ChaosServers(kind, directory, links, count);
  const smallDisk =
    wantsSmallDisk !== undefined && mount(servers.dataDir(wantsSmallDisk))
      ? wantsSmallDisk
      : undefined;
  const close = async (keep = false): Promise<void> => {
    await servers.close();
    await links.close();
    if (smallDisk !== undefined) execFileSync('umount', [servers.dataDir(smallDisk)]);
    if (!keep) rmSync(directory, { recursive: true, force: true });
  };
  try {
    await servers.startAll();
    await servers.untilWhole();
  } catch (error) {
    await close();
    throw error;
  }
  return { servers, links, smallDisk, close };
}

async function createLinks(count: number, choice: LinkChoice): Promise<Links> {
  if (choice === 'proxies') return await ProxyLinks.create(count);
  const spaces = await NamespaceLinks.create(count);
  if (spaces !== undefined) return spaces;
  if (choice === 'namespaces') throw new Error('this machine allows no network namespaces');
  return await ProxyLinks.create(count);
}

/** A disk in memory; false where that is not allowed. */
function mount(directory: string): boolean {
  mkdirSync(directory, { recursive: true });
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${SMALL_DISK}`, 'vivarium-chaos', directory];
    execFileSync('mount', options, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
