/** `conf` and `envi`: what the server was told, and where it runs. */

import type { BackendStatus } from './backend.ts';
import type { ReportOptions } from './client-options.ts';
import type { CommandSource } from './four-letter.ts';

/** What `envi` prints, in this order. A server without a JVM keeps the keys and fills in what is true. */
export const ENVIRONMENT_KEYS = [
  'zookeeper.version',
  'host.name',
  'java.version',
  'java.vendor',
  'java.home',
  'java.class.path',
  'java.library.path',
  'java.io.tmpdir',
  'java.compiler',
  'os.name',
  'os.arch',
  'os.version',
  'user.name',
  'user.home',
  'user.dir',
  'os.memory.free',
  'os.memory.max',
  'os.memory.total',
] as const;

export function enviText(report: ReportOptions): string {
  const lines = ENVIRONMENT_KEYS.map((key) => {
    const given = report.environment.get(key);
    const value = key === 'zookeeper.version' ? report.version : (given ?? '<NA>');
    return `${key}=${value}\n`;
  });
  return `Environment:\n${lines.join('')}`;
}

/**
 * A member of an ensemble goes on with its part of it, and ends without a newline; one that knows no
 * quorum leaves out who the members are.
 */
export function confText(source: CommandSource, status: BackendStatus): string {
  const { options } = source;
  const { report } = options;
  const clientPort = source.addresses[0]?.port ?? options.listen[0]?.port ?? -1;
  const own =
    `clientPort=${clientPort}\n` +
    `secureClientPort=-1\n` +
    `dataDir=${report.dataDir}\n` +
    `dataDirSize=${status.dataDirBytes}\n` +
    `dataLogDir=${report.dataLogDir}\n` +
    `dataLogSize=${status.logDirBytes}\n` +
    `tickTime=${options.tickTimeMs}\n` +
    `maxClientCnxns=${options.maxClientCnxns}\n` +
    `minSessionTimeout=${options.minSessionTimeoutMs}\n` +
    `maxSessionTimeout=${options.maxSessionTimeoutMs}\n` +
    `clientPortListenBacklog=${report.listenBacklog}\n` +
    `serverId=${report.serverId}\n`;
  const { ensemble } = report;
  if (ensemble === undefined) return own;
  const member =
    `${own}initLimit=${ensemble.initLimit}\n` +
    `syncLimit=${ensemble.syncLimit}\n` +
    `electionAlg=3\n` +
    `electionPort=${ensemble.electionPort}\n` +
    `quorumPort=${ensemble.quorumPort}\n` +
    `peerType=${ensemble.isObserver ? 1 : 0}\n`;
  if (source.backend.mode === 'read-only') return member;
  return (
    `${member}membership: \n` +
    status.membership.map((line) => `${line}\n`).join('') +
    `version=${status.configVersion.toString(16)}`
  );
}
