/** A standalone server in this process: real sockets on a free port, a directory of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { type ConfigOptions, configFromOptions } from '../../src/server/load-config.ts';
import { SILENT_LOGGER } from '../../src/server/logger.ts';
import { createServer, type Server } from '../../src/server/server.ts';

export interface NodeServer {
  readonly server: Server;
  readonly port: number;
  stop(): Promise<void>;
}

/** Resolves when clients are served. `stop` removes the directory. */
export async function startNodeServer(options: ConfigOptions): Promise<NodeServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'vivarium-test-'));
  const config = configFromOptions({
    clientPort: 0,
    clientPortAddress: '127.0.0.1',
    dataDir,
    ...options,
  });
  const server = createServer(config, createNodeRuntime(), { log: SILENT_LOGGER });
  await server.start();
  while (server.view.mode === undefined) await setImmediate();
  const port = server.view.clientAddresses[0]?.port ?? 0;
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { server, port, stop };
}
