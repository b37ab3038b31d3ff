/** `vivarium dump`: what is in logs, snapshots and data directories, ours and Apache ZooKeeper's. */

import type { Argv, CommandModule } from 'yargs';
import {
  type DumpedItem,
  type DumpPlace,
  dumpLog,
  dumpSnapshot,
  dumpTree,
} from '../../apache/dump-source.ts';
import { NodePlainFiles } from '../../runtime/node/node-plain-files.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { reportingFailures } from '../data-failure.ts';
import { itemJson, itemLine, txnJson, txnLine } from '../dump-text.ts';

const SUBJECTS = ['log', 'snapshot', 'tree'] as const;

interface DumpArguments {
  readonly what: (typeof SUBJECTS)[number];
  readonly path: string;
  readonly 'log-dir': string | undefined;
  readonly json: boolean;
}

export function dumpCommand(): CommandModule<object, DumpArguments> {
  return {
    command: 'dump <what> <path>',
    describe: "print transactions, a snapshot or the tree, of our data or Apache ZooKeeper's",
    builder: dumpOptions,
    handler: async ({ what, path, 'log-dir': logDir, json }) => {
      process.stdout.on('error', endWithReader);
      await reportingFailures(() => dump(what, { path, logDir }, json));
    },
  };
}

function dumpOptions(yargs: Argv<object>): Argv<DumpArguments> {
  return yargs
    .positional('what', {
      choices: SUBJECTS,
      demandOption: true,
      describe:
        'transactions; a snapshot as it stands there; or the tree a server would start with',
    })
    .positional('path', {
      type: 'string',
      demandOption: true,
      describe: 'a file of Apache ZooKeeper, or the dataDir of a stopped server',
    })
    .option('log-dir', { type: 'string', requiresArg: true, describe: 'its dataLogDir' })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON, a line each' })
    .example('$0 dump log /var/lib/zookeeper/version-2/log.1', 'one file')
    .example('$0 dump tree /var/lib/vivarium --json', 'every node')
    .epilogue('Exit status: 0 done, 2 wrong use, 3 the data cannot be read.');
}

async function dump(what: DumpArguments['what'], place: DumpPlace, isJson: boolean): Promise<void> {
  const files = new NodePlainFiles();
  const { storage } = createNodeRuntime();
  if (what === 'log') {
    const render = isJson ? txnJson : txnLine;
    for await (const txn of dumpLog(files, storage, place)) {
      if (!process.stdout.write(render(txn))) await written();
    }
    await written();
    return;
  }
  const render = isJson ? itemJson : itemLine;
  const visitor = {
    item: (item: DumpedItem): void => {
      process.stdout.write(render(item));
    },
    turn: written,
  };
  await (what === 'tree' ? dumpTree : dumpSnapshot)(files, storage, place, visitor);
  await written();
}

/** Whoever reads has seen enough, as `head` has: that is no failure. */
function endWithReader(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
}

/** Waits until everything has left: a dump may be larger than memory, and the process ends behind it. */
function written(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });
}
