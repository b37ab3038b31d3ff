/** `vivarium import`: the data of an Apache ZooKeeper server become those of one of ours. */

import type { CommandModule } from 'yargs';
import { ApacheDataError } from '../../apache/apache-data-error.ts';
import { versionDirectory } from '../../apache/data-dir.ts';
import {
  type ImportOptions,
  type ImportReport,
  importApacheData,
} from '../../apache/import-data.ts';
import type { LoadPhase } from '../../apache/load-data.ts';
import { zxidHex } from '../../base/ids.ts';
import { writerIn } from '../../runtime/node/file-writers.ts';
import { NodePlainFiles } from '../../runtime/node/node-plain-files.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { reportingFailures } from '../data-failure.ts';
import { ProgressBar } from '../progress-bar.ts';
import { UsageError } from '../usage-error.ts';

interface ImportArguments {
  readonly 'apache-dir': string;
  readonly 'log-dir': string | undefined;
  readonly 'data-dir': string;
  readonly 'data-log-dir': string | undefined;
  readonly 'my-id': number | undefined;
  readonly 'snapshot-only': boolean;
  readonly 'ignore-digests': boolean;
  readonly json: boolean;
}

const PHASES: Readonly<Record<LoadPhase, string>> = {
  snapshot: 'reading snapshot',
  log: 'replaying log',
  write: 'writing',
  verify: 'reading back',
};

export function importCommand(): CommandModule<object, ImportArguments> {
  return {
    command: 'import <apache-dir>',
    describe: "take over an Apache ZooKeeper server's data (which is only read)",
    builder: (yargs) =>
      yargs
        .positional('apache-dir', {
          type: 'string',
          demandOption: true,
          describe: 'dataDir of the stopped Apache server',
        })
        .option('log-dir', {
          type: 'string',
          requiresArg: true,
          describe: 'its dataLogDir, if it has one',
        })
        .option('data-dir', {
          type: 'string',
          requiresArg: true,
          demandOption: true,
          describe: 'dataDir to fill',
        })
        .option('data-log-dir', {
          type: 'string',
          requiresArg: true,
          describe: 'dataLogDir to fill (default: the data directory)',
        })
        .option('my-id', {
          type: 'number',
          requiresArg: true,
          describe: 'number of the server (default: from myid)',
        })
        .option('snapshot-only', {
          type: 'boolean',
          default: false,
          describe: 'there are no logs: the snapshot is all there is',
        })
        .option('ignore-digests', {
          type: 'boolean',
          default: false,
          describe: 'import a tree that differs from the digests in the files',
        })
        .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
        .example('$0 import /var/lib/zookeeper --data-dir /var/lib/vivarium', 'then start on it')
        .epilogue(
          'Run it as the user that will run the server: what is written is owned by who runs it.\n' +
            'Exit status: 0 done, 2 wrong use, 3 the data or the directory cannot be used, 5 the disk failed.',
        ),
    handler: async (given) => {
      const id = given['my-id'];
      if (id !== undefined && !(Number.isInteger(id) && id >= 1 && id <= 255)) {
        throw new UsageError('--my-id: expected a whole number from 1 to 255');
      }
      const report = await importWithProgress({
        apacheDir: given['apache-dir'],
        apacheLogDir: given['log-dir'],
        dataDir: given['data-dir'],
        dataLogDir: given['data-log-dir'],
        serverId: id,
        snapshotOnly: given['snapshot-only'],
        ignoreDigests: given['ignore-digests'],
      });
      process.stdout.write(given.json ? importJson(report) : importText(report, given['data-dir']));
    },
  };
}

/** Imports, showing on standard error how far it is, and warnings. */
export async function importWithProgress(options: ImportOptions): Promise<ImportReport> {
  const bar = new ProgressBar(process.stderr);
  const progress = (phase: LoadPhase, done: number, total: number): void =>
    bar.update(PHASES[phase], done, total);
  const work = async (): Promise<ImportReport> => {
    await refuseRunning(options);
    const runtime = createNodeRuntime();
    return await importApacheData(new NodePlainFiles(), runtime, { ...options, progress });
  };
  const report = await reportingFailures(work).finally(() => bar.end());
  for (const warning of report.warnings) process.stderr.write(`warning: ${warning}\n`);
  return report;
}

/** What a server writes behind our back would be missing from what becomes the truth. */
async function refuseRunning({
  apacheDir,
  apacheLogDir = apacheDir,
}: ImportOptions): Promise<void> {
  for (const directory of new Set([apacheDir, apacheLogDir])) {
    const place = await versionDirectory(new NodePlainFiles(), directory);
    const writer = await writerIn(place);
    if (writer === undefined) continue;
    const problem = `process ${writer} has a file there open for writing`;
    const remedy =
      'stop Apache ZooKeeper first, or import a copy that was made while it was stopped';
    throw new ApacheDataError('SOURCE_IN_USE', place, problem, remedy);
  }
}

export function importText(report: ImportReport, dataDir: string): string {
  const { zxid, snapshot = 'no snapshot', txnCount, digestCount, orphanCount } = report;
  const orphans =
    orphanCount === 0 ? '' : `, ${orphanCount} ephemeral nodes of sessions long gone left out`;
  const agreed =
    digestCount === 0
      ? 'no digest in the files to compare with'
      : `agrees with the ${digestCount} digests in the files`;
  return [
    `imported up to ${zxidHex(zxid)}: ${snapshot} and ${txnCount} transactions`,
    `nodes ${report.nodeCount}, sessions ${report.sessionCount}, ephemeral nodes ` +
      `${report.ephemeralCount}${orphans}`,
    `tree digest ${report.digest}: ${agreed}`,
    `server ${report.serverId}, accepted epoch ${report.acceptedEpoch}, current epoch ` +
      `${report.currentEpoch}`,
    `${dataDir} is complete and was read back`,
    '',
  ].join('\n');
}

function importJson(report: ImportReport): string {
  return `${JSON.stringify({ ...report, zxid: zxidHex(report.zxid) }, null, 2)}\n`;
}
