/** The keys and values of one configuration before they have a meaning, and how typed values are read from them. */

import { invariant } from '../base/assert.ts';
import { ConfigError } from './config-error.ts';
import {
  type BooleanConfigKey,
  CONFIG_KEYS,
  type ConfigKey,
  type IntegerConfigKey,
  type IntegerKey,
  type TextConfigKey,
} from './config-keys.ts';
import { isMemberKey } from './member-line.ts';

/** One key with its value, trimmed, and the place it was written at. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  /** `file:line`, a flag, or the name of an option. */
  readonly where: string;
  /** undefined when it does not come from a file. */
  readonly line: number | undefined;
}

export interface DoubledSetting {
  /** The one that counts, of the two. */
  readonly setting: Setting;
  readonly earlierLine: number;
}

export class Settings {
  /** Where the configuration as a whole comes from: the path of a file, or `options`. */
  readonly source: string;
  /** Lines of one file that set a key to another value than a line above them. */
  readonly doubled: readonly DoubledSetting[];
  readonly #byKey = new Map<string, Setting>();

  /** Of settings with the same key the last one counts, as in the original. */
  constructor(source: string, settings: readonly Setting[]) {
    this.source = source;
    const doubled: DoubledSetting[] = [];
    for (const setting of settings) {
      const earlier = this.#byKey.get(setting.key);
      this.#byKey.set(setting.key, setting);
      // What a flag or a default says beside a file is meant to.
      if (earlier?.line === undefined || setting.line === undefined) continue;
      if (earlier.value !== setting.value) doubled.push({ setting, earlierLine: earlier.line });
    }
    this.doubled = doubled;
  }

  find(key: string): Setting | undefined {
    return this.#byKey.get(key);
  }

  all(): Setting[] {
    return [...this.#byKey.values()];
  }

  members(): Setting[] {
    return this.all().filter((setting) => isMemberKey(setting.key));
  }

  /** The value written, or the key's default, which the key must have. */
  integer(key: IntegerConfigKey): number {
    const value = this.writtenInteger(key) ?? integerSpec(key).fallback;
    invariant(value !== undefined, 'a key without a default was read as if it had one');
    return value;
  }

  /** The value written; undefined when there is none. */
  writtenInteger(key: IntegerConfigKey): number | undefined {
    const setting = this.find(key);
    if (setting === undefined) return undefined;
    const { min, max, unit } = integerSpec(key);
    const value = parseInteger(key, setting.value);
    if (value !== undefined && value >= min && value <= max) return value;
    const expected = `a whole number ${unit} from ${min} to ${max}`;
    throw new ConfigError({ ...setting, expected });
  }

  boolean(key: BooleanConfigKey): boolean {
    const { words, fallback } = CONFIG_KEYS[key];
    const setting = this.find(key);
    if (setting === undefined) return fallback;
    const word = setting.value.toLowerCase();
    if (word === words[0]) return true;
    if (word === words[1]) return false;
    throw new ConfigError({ ...setting, expected: `${words[0]} or ${words[1]}` });
  }

  /** The text written, never empty; undefined when the key is absent. */
  text(key: TextConfigKey): string | undefined {
    const setting = this.find(key);
    if (setting === undefined) return undefined;
    if (setting.value !== '') return setting.value;
    throw new ConfigError({ ...setting, problem: 'is empty', expected: CONFIG_KEYS[key].expected });
  }

  /** A mistake about a key that is written, or that should be. */
  mistake(key: ConfigKey, problem: string, expected: string): ConfigError {
    const setting = this.find(key);
    if (setting !== undefined) return new ConfigError({ ...setting, problem, expected });
    return new ConfigError({ where: this.source, key, problem, expected });
  }
}

function integerSpec(key: IntegerConfigKey): IntegerKey {
  return CONFIG_KEYS[key];
}

/** The original reads `jute.maxbuffer` in any of Java's notations, everything else as plain decimal. */
function parseInteger(key: IntegerConfigKey, text: string): number | undefined {
  if (key === 'jute.maxbuffer' && /^(0x|#)[0-9a-f]+$/i.test(text)) {
    return Number.parseInt(text.replace(/^(0x|#)/i, ''), 16);
  }
  if (!/^[+-]?\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
