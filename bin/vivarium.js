#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(fileURLToPath(program))) {
  const { main } = await import(program.href);
  process.exit(await main(process.argv.slice(2)));
} else {
  process.stderr.write('vivarium is not built: run npm ci (or npm run build) first\n');
  process.exit(1);
}
