/** The facts behind the four letter word `envi`, under the names that tools of the original look for. */

import os from 'node:os';

const MEGABYTE = 1024 * 1024;

/** Values of this process and machine; keys that only a JVM has are left out. */
export function processEnvironment(): ReadonlyMap<string, string> {
  const { username, homedir } = userFacts();
  return new Map([
    ['host.name', os.hostname()],
    ['java.version', `Node.js ${process.versions.node}`],
    ['java.home', process.execPath],
    ['java.io.tmpdir', os.tmpdir()],
    ['os.name', os.type()],
    ['os.arch', os.arch()],
    ['os.version', os.release()],
    ['user.name', username],
    ['user.home', homedir],
    ['user.dir', process.cwd()],
    ['os.memory.free', megabytes(os.freemem())],
    ['os.memory.max', megabytes(os.totalmem())],
    ['os.memory.total', megabytes(os.totalmem())],
  ]);
}

/** In a container the process may run under a number that no user has. */
function userFacts(): { readonly username: string; readonly homedir: string } {
  try {
    return os.userInfo();
  } catch {
    return { username: '<NA>', homedir: os.homedir() };
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MEGABYTE)}MB`;
}
