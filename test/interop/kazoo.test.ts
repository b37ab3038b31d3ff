/** kazoo, the client of the Python world with its recipes, on our servers; on the original first, to check the suite. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { reportChecks } from './check-suite.ts';
import { APACHE, ENSEMBLE, STANDALONE } from './support.ts';

/** The interpreter that Debian's python3-kazoo belongs to. */
const PYTHON = '/usr/bin/python3';
const SUITE = path.resolve('test/interop/kazoo_suite.py');
const SKIP = existsSync('/usr/lib/python3/dist-packages/kazoo')
  ? false
  : "Debian's package python3-kazoo is not installed";
const CHECK_COUNT_MIN = 23;

for (const kind of [APACHE, STANDALONE, ENSEMBLE]) {
  test(`kazoo on ${kind.name}`, { skip: SKIP || kind.skip }, async (t) => {
    const target = await kind.start();
    t.after(() => target.stop());
    await reportChecks(t, [PYTHON, SUITE, target.servers.join(',')], CHECK_COUNT_MIN);
  });
}
