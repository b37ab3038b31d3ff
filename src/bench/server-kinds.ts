/** The programs that can be a target: this one, another build of it, and Debian's Apache ZooKeeper. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { invariant } from '../base/assert.ts';
import type { ServerKind } from './target.ts';

/** Debian's start script gives its server as much. */
const APACHE_HEAP = '-Xmx1000m';
const APACHE_CLASS_PATH = '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar';
const APACHE_MAIN = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';

/**
 * `program`: the bin/vivarium.js to run, options of Node's in front; `node`: what runs it. With a
 * directory its servers leave CPU profiles there.
 */
export function vivariumKind(
  name: string,
  program: readonly string[],
  profileDirectory: string | undefined,
  node: string = process.execPath,
): ServerKind {
  const profileFile = (id: number): string | undefined =>
    profileDirectory && path.join(profileDirectory, `${name}-${id}.cpuprofile`);
  return {
    name,
    profileFile,
    command: (id, configFile) => ({
      program: node,
      args: [...profileArgs(profileFile(id)), ...program, 'server', configFile],
    }),
  };
}

function profileArgs(file: string | undefined): readonly string[] {
  if (file === undefined) return [];
  const hook = new URL('./profile-hook.js', import.meta.url);
  hook.searchParams.set('file', file);
  return ['--import', hook.href];
}

/** The server of Debian's package `zookeeper`, as its own scripts start it; forceSync stays on. */
export function apacheKind(name: string): ServerKind {
  return {
    name,
    profileFile: () => undefined,
    command: (_id, configFile) => ({
      program: 'java',
      args: [
        APACHE_HEAP,
        '-Dzookeeper.root.logger=INFO,CONSOLE',
        `-Dzookeeper.log.dir=${path.dirname(configFile)}`,
        '-Dzookeeper.4lw.commands.whitelist=*',
        '-Dzookeeper.admin.enableServer=false',
        '-cp',
        APACHE_CLASS_PATH,
        APACHE_MAIN,
        configFile,
      ],
    }),
  };
}

/** bin/vivarium.js of the checkout that this file was built in, wherever the build went. */
export function ownProgram(): string {
  let directory = import.meta.dirname;
  while (!existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory);
    invariant(parent !== directory, 'the bench is not inside a checkout');
    directory = parent;
  }
  return path.join(directory, 'bin', 'vivarium.js');
}
