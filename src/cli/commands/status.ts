/** `vivarium status`: what the servers of an ensemble say of themselves. */

import type { CommandModule } from 'yargs';
import { zxidHex } from '../../base/ids.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Address } from '../../runtime/runtime.ts';
import { bracketed } from '../../server/member-line.ts';
import { askStatus, hasQuorum, parseAddress, type ServerStatus } from '../server-status.ts';
import { renderTable } from '../table.ts';
import { UsageError } from '../usage-error.ts';

interface StatusArguments {
  readonly servers: string;
  readonly json: boolean;
  readonly timeout: number;
}

/** `exit` receives the exit code: 1 when no server serves clients. */
export function statusCommand(
  exit: (code: number) => void,
): CommandModule<object, StatusArguments> {
  return {
    command: 'status [servers]',
    describe: 'role, zxid, epoch, connections and lag of each server',
    builder: (yargs) =>
      yargs
        .positional('servers', {
          type: 'string',
          default: '127.0.0.1:2181',
          describe: 'host:port,host:port,...',
        })
        .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
        .option('timeout', { type: 'number', default: 2000, describe: 'milliseconds to wait' })
        .example('$0 status zk1,zk2,zk3', 'three servers at port 2181')
        .epilogue(
          'role: leader, follower, observer, standalone, read-only, looking (knows no quorum) or down.\n' +
            'lag: transactions behind the leader.\n' +
            'Exit status: 0 some server serves clients, 1 none does (there is no quorum), 2 wrong use.',
        ),
    handler: async ({ servers, json, timeout }) => {
      const addresses = servers.split(',').map(addressArgument);
      if (!(timeout > 0)) throw new UsageError('--timeout: expected a number of milliseconds');
      const statuses = await askStatus(createNodeRuntime(), addresses, timeout);
      process.stdout.write(json ? statusJson(statuses) : statusTable(statuses));
      exit(hasQuorum(statuses) ? 0 : 1);
    },
  };
}

function addressArgument(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new UsageError(`"${text}" is no address: expected host:port, for example 127.0.0.1:2181`);
}

const HEADER = ['server', 'role', 'zxid', 'epoch', 'connections', 'lag'];

function statusTable(statuses: readonly ServerStatus[]): string {
  const rows = statuses.map((status) => [
    addressText(status.address),
    status.role,
    status.zxid === undefined ? '-' : zxidHex(status.zxid),
    cell(status.epoch),
    cell(status.connections),
    cell(status.lag),
  ]);
  let text = renderTable([HEADER, ...rows]);
  for (const { problem } of statuses) {
    if (problem !== undefined) text += `${problem}\n`;
  }
  return hasQuorum(statuses) ? text : `${text}no server serves clients: there is no quorum\n`;
}

function statusJson(statuses: readonly ServerStatus[]): string {
  const servers = statuses.map((status) => ({
    ...status,
    address: addressText(status.address),
    zxid: status.zxid === undefined ? undefined : zxidHex(status.zxid),
  }));
  return `${JSON.stringify({ quorum: hasQuorum(statuses), servers }, null, 2)}\n`;
}

function addressText({ host, port }: Address): string {
  return `${bracketed(host)}:${port}`;
}

function cell(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}
