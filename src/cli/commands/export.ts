/** `vivarium export`: the data of a stopped server become those of an Apache ZooKeeper server. */

import type { CommandModule } from 'yargs';
import { type ExportReport, exportApacheData } from '../../apache/export-data.ts';
import { zxidHex } from '../../base/ids.ts';
import { NodePlainFiles } from '../../runtime/node/node-plain-files.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { reportingFailures } from '../data-failure.ts';
import { ProgressBar } from '../progress-bar.ts';

interface ExportArguments {
  readonly 'data-dir': string;
  readonly 'data-log-dir': string | undefined;
  readonly to: string;
  readonly 'to-log-dir': string | undefined;
  readonly json: boolean;
}

export function exportCommand(): CommandModule<object, ExportArguments> {
  return {
    command: 'export',
    describe: "write a stopped server's data so that Apache ZooKeeper starts on them",
    builder: (yargs) =>
      yargs
        .option('data-dir', {
          type: 'string',
          requiresArg: true,
          demandOption: true,
          describe: 'dataDir of the stopped server',
        })
        .option('data-log-dir', {
          type: 'string',
          requiresArg: true,
          describe: 'its dataLogDir, if it has one',
        })
        .option('to', {
          type: 'string',
          requiresArg: true,
          demandOption: true,
          describe: "Apache's dataDir to fill",
        })
        .option('to-log-dir', {
          type: 'string',
          requiresArg: true,
          describe: "Apache's dataLogDir to fill (default: its dataDir)",
        })
        .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
        .example('$0 export --data-dir /var/lib/vivarium --to /var/lib/zookeeper', 'go back')
        .epilogue(
          'Exit status: 0 done, 2 wrong use, 3 the data or the directory cannot be used, 5 the disk failed.',
        ),
    handler: async (given) => {
      const report = await exportWithProgress(given);
      process.stdout.write(given.json ? exportJson(report) : exportText(report, given.to));
    },
  };
}

async function exportWithProgress(given: ExportArguments): Promise<ExportReport> {
  const bar = new ProgressBar(process.stderr);
  const options = {
    dataDir: given['data-dir'],
    dataLogDir: given['data-log-dir'],
    to: given.to,
    toLogDir: given['to-log-dir'],
    progress: (_phase: string, done: number, total: number): void =>
      bar.update('writing snapshot', done, total),
  };
  const work = (): Promise<ExportReport> =>
    exportApacheData(new NodePlainFiles(), createNodeRuntime().storage, options);
  const report = await reportingFailures(work).finally(() => bar.end());
  if (report.ttlNodeCount > 0) {
    process.stderr.write(
      `warning: ${report.ttlNodeCount} nodes have a time to live; Apache ZooKeeper deletes them at its ` +
        'start unless all its servers run with -Dzookeeper.extendedTypesEnabled=true\n',
    );
  }
  return report;
}

function exportText(report: ExportReport, to: string): string {
  const { snapshot, log, txnCount } = report;
  const files = [snapshot, log].filter((name) => name !== undefined).join(' and ');
  return [
    `exported up to ${zxidHex(report.zxid)}: ${files} (${txnCount} transactions)`,
    `nodes ${report.nodeCount}, sessions ${report.sessionCount}, tree digest ${report.digest}`,
    `${to} is complete: name it as dataDir in Apache ZooKeeper's zoo.cfg`,
    '',
  ].join('\n');
}

function exportJson(report: ExportReport): string {
  return `${JSON.stringify({ ...report, zxid: zxidHex(report.zxid) }, null, 2)}\n`;
}
