/** Flags for the keys of the configuration: one each, named like the key in kebab-case. */

import type { Options } from 'yargs';
import { CONFIG_KEYS, type ConfigKey, type KeySpec } from '../server/config-keys.ts';
import type { Setting } from '../server/settings.ts';
import { UsageError } from './usage-error.ts';

/** `clientPort` is `client-port`, `autopurge.purgeInterval` is `autopurge-purge-interval`. */
export function flagName(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('.', '-')
    .toLowerCase();
}

/** The flags as yargs wants them. All are texts: the configuration checks them as it checks a file. */
export function configFlags(): Record<string, Options> {
  const flags: Record<string, Options> = {};
  for (const [key, spec] of entries()) {
    flags[flagName(key)] = {
      type: 'string',
      requiresArg: true,
      describe: describe(spec),
      group:
        'Configuration (each flag is the key of zoo.cfg with the same name, and wins over it):',
    };
  }
  return flags;
}

/**
 * The settings that flags on the command line ask for. `servers` are the values of `--server`, each
 * `N=host:quorumPort:electionPort...`. Throws `UsageError`.
 */
export function settingsFromFlags(
  flags: Readonly<Record<string, unknown>>,
  servers: readonly string[],
): Setting[] {
  const settings: Setting[] = [];
  for (const [key] of entries()) {
    const name = flagName(key);
    const given = flags[name];
    const value = Array.isArray(given) ? given.at(-1) : given;
    if (typeof value !== 'string') continue;
    settings.push({ key, value: value.trim(), where: `--${name}`, line: undefined });
  }
  for (const server of servers) {
    const [, id, line] = /^(\d+)=(.*)$/.exec(server) ?? [];
    if (id === undefined || line === undefined) {
      throw new UsageError(`--server ${server}: expected N=host:quorumPort:electionPort`);
    }
    const value = line.trim();
    settings.push({ key: `server.${id}`, value, where: '--server', line: undefined });
  }
  return settings;
}

function entries(): [ConfigKey, KeySpec][] {
  return Object.entries(CONFIG_KEYS) as [ConfigKey, KeySpec][];
}

function describe(spec: KeySpec): string {
  switch (spec.kind) {
    case 'integer': {
      const unit = spec.unit.replace(/^of /, '');
      const text = `${spec.about}${unit === spec.unit ? ' ' : ', '}${unit}`;
      return spec.fallback === undefined ? text : `${text} [${spec.fallback}]`;
    }
    case 'boolean':
      return `${spec.about}: ${spec.words.join(' or ')} [${spec.words[spec.fallback ? 0 : 1]}]`;
    case 'text':
      return spec.about;
  }
}
