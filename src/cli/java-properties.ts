/** Keys that operators give to Java instead of writing them into `zoo.cfg`. */

import { isConfigKey } from '../server/config-keys.ts';
import { foreignKey } from '../server/foreign-keys.ts';
import type { Setting } from '../server/settings.ts';
import { UsageError } from './usage-error.ts';

const PREFIX = 'zookeeper.';

/**
 * The settings among Java system properties, each `name=value`. Those that are meant for Java or for
 * its libraries are left out. Throws `UsageError`.
 */
export function settingsFromProperties(definitions: readonly string[]): Setting[] {
  const settings: Setting[] = [];
  for (const definition of definitions) {
    const equals = definition.indexOf('=');
    if (equals < 1) throw new UsageError(`--define ${definition}: expected name=value`);
    const name = definition.slice(0, equals);
    const value = definition.slice(equals + 1).trim();
    const key = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
    if (!isConfigKey(key) && foreignKey(key, value) === undefined) continue;
    settings.push({ key, value, where: `-D${name}`, line: undefined });
  }
  return settings;
}
